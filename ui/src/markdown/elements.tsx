/** The elements of an answer. Plain tags, styled by styles/markdown.css. */
import { isValidElement, type ComponentProps, type JSX, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Components } from 'streamdown'
import { ImageOffIcon } from '../components/ui/icons.tsx'
import { CodeBlock } from './code-block.tsx'

const own = {
  h1: heading(1),
  h2: heading(2),
  h3: heading(3),
  h4: heading(4),
  h5: heading(4),
  h6: heading(4),
  p: 'p',
  ul: 'ul',
  ol: 'ol',
  li: 'li',
  hr: 'hr',
  strong: 'strong',
  blockquote: 'blockquote',
  sub: 'sub',
  sup: 'sup',
  section: 'section',
  thead: 'thead',
  tbody: 'tbody',
  tr: 'tr',
  th: 'th',
  td: 'td',
  inlineCode: ({ children }: ComponentProps<'code'>) => <code>{children}</code>,
  code: ({ className, children }: ComponentProps<'code'>) => (
    <CodeBlock code={textOf(children).replace(/\n$/, '')} language={languageOf(className)} />
  ),
  a: SafeLink,
  img: BlockedImage,
  table: ScrollingTable,
  input: TaskBox,
}

// Streamdown's index signature for tags of one's own would ask each component to take any properties.
export const elements: Components = own as unknown as Components

/**
 * All headings of an answer are of level 3, below the page's own and without gaps, whatever the model leaves out; they differ to the eye only.
 */
function heading(level: number): (props: ComponentProps<'h3'>) => JSX.Element {
  return function AnswerHeading({ children }) {
    return <h3 data-level={level}>{children}</h3>
  }
}

function SafeLink({ href, children }: ComponentProps<'a'>): JSX.Element {
  // While a link is being written its address is a placeholder.
  if (!href || href.startsWith('streamdown:')) return <span>{children}</span>
  if (href.startsWith('#')) return <a href={href}>{children}</a>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}

/** Images of other hosts are never fetched: an address can carry the conversation away. */
function BlockedImage({ src, alt }: ComponentProps<'img'>): JSX.Element {
  const { t } = useTranslation()
  if (typeof src !== 'string') return <span>{alt}</span>
  if (src.startsWith('data:image/')) return <img src={src} alt={alt ?? ''} />
  const host = hostOf(src)
  return (
    <span className="blocked-image">
      <ImageOffIcon />
      <span>
        {t('markdown.imageBlocked')}
        {alt ? ` · ${alt}` : ''}
      </span>
      {host && (
        <a href={src} target="_blank" rel="noopener noreferrer nofollow">
          {t('markdown.openImage', { host })}
        </a>
      )}
    </span>
  )
}

function ScrollingTable({ children }: ComponentProps<'table'>): JSX.Element {
  const { t } = useTranslation()
  return (
    <div className="table-frame" role="region" aria-label={t('markdown.table')} tabIndex={0}>
      <table>{children}</table>
    </div>
  )
}

function TaskBox({ checked }: ComponentProps<'input'>): JSX.Element {
  const { t } = useTranslation()
  return <input type="checkbox" checked={checked ?? false} disabled aria-label={t('markdown.task')} />
}

function languageOf(className: string | undefined): string {
  return /language-([^\s]+)/.exec(className ?? '')?.[1]?.toLowerCase() ?? ''
}

function textOf(node: ReactNode): string {
  if (typeof node === 'string') return node
  if (Array.isArray(node)) return node.map((child: ReactNode) => textOf(child)).join('')
  return isValidElement<{ children?: ReactNode }>(node) ? textOf(node.props.children) : ''
}

function hostOf(address: string): string | undefined {
  try {
    return new URL(address).host || undefined
  } catch {
    return undefined
  }
}
