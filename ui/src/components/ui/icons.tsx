/** The page's own icons: 20 px grid, 1.6 px strokes. They are decoration; the button around them has the name. */
import type { JSX, SVGProps } from 'react'

type Icon = (props: SVGProps<SVGSVGElement>) => JSX.Element

function icon(...paths: string[]): Icon {
  return function StrokeIcon(props) {
    return (
      <svg
        viewBox="0 0 20 20"
        width="1.15em"
        height="1.15em"
        fill="none"
        stroke="currentColor"
        strokeWidth={1.6}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        {...props}
      >
        {paths.map((path) => (
          <path key={path} d={path} />
        ))}
      </svg>
    )
  }
}

export const MenuIcon: Icon = icon('M3 6h14', 'M3 13.5h9')
export const SidebarIcon: Icon = icon(
  'M4.5 3.5h11a1.5 1.5 0 0 1 1.5 1.5v10a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 15V5a1.5 1.5 0 0 1 1.5-1.5Z',
  'M8 3.5v13',
)
export const ComposeIcon: Icon = icon(
  'M10 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16h9a1.5 1.5 0 0 0 1.5-1.5V10',
  'M8.5 11.5V9.2L14.6 3a1.6 1.6 0 0 1 2.3 2.3L10.8 11.5Z',
)
export const CubeIcon: Icon = icon('M10 2.8 16.2 6.2v7.6L10 17.2 3.8 13.8V6.2Z', 'M3.8 6.2 10 9.7l6.2-3.5', 'M10 9.7v7.5')
export const PulseIcon: Icon = icon('M2.5 10.5h3.2L8 4.5l4 11 2.3-5h3.2')
export const SunIcon: Icon = icon(
  'M10 6.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4Z',
  'M10 2.2v1.4M10 16.4v1.4M2.2 10h1.4M16.4 10h1.4M4.5 4.5l1 1M14.5 14.5l1 1M15.5 4.5l-1 1M5.5 14.5l-1 1',
)
export const MoonIcon: Icon = icon('M16.5 11.8A6.8 6.8 0 0 1 8.2 3.5a6.8 6.8 0 1 0 8.3 8.3Z')
export const ScreenIcon: Icon = icon('M3 4.5h14v9H3Z', 'M7.5 16.5h5')
export const LanguageIcon: Icon = icon(
  'M2.8 5h8.4',
  'M7 3.2V5',
  'M9.4 5c-.6 3.2-2.8 5.8-6 7.2',
  'M4.8 7.6c1 2 2.8 3.6 5 4.4',
  'M10 16.8l3.6-8.3 3.6 8.3',
  'M11.3 14h4.6',
)
export const SendIcon: Icon = icon('M10 16V4.5', 'M5 9.2 10 4.2l5 5')
export const CopyIcon: Icon = icon(
  'M8.5 7h6A1.5 1.5 0 0 1 16 8.5v6a1.5 1.5 0 0 1-1.5 1.5h-6A1.5 1.5 0 0 1 7 14.5v-6A1.5 1.5 0 0 1 8.5 7Z',
  'M13 7V5.5A1.5 1.5 0 0 0 11.5 4h-6A1.5 1.5 0 0 0 4 5.5v6A1.5 1.5 0 0 0 5.5 13H7',
)
export const CheckIcon: Icon = icon('M4 10.5 8.2 14.7 16 6')
export const RetryIcon: Icon = icon('M15.8 8.5A6.2 6.2 0 1 0 16 11.5', 'M16.2 4.5v4h-4')
export const PencilIcon: Icon = icon('M4 16v-3L13 4a2.1 2.1 0 0 1 3 3L7 16Z', 'M11.5 5.5l3 3')
export const TrashIcon: Icon = icon(
  'M3.8 5.8h12.4',
  'M8 5.8V4.3A.8.8 0 0 1 8.8 3.5h2.4a.8.8 0 0 1 .8.8v1.5',
  'M5.3 5.8l.8 9.3a1.5 1.5 0 0 0 1.5 1.4h4.8a1.5 1.5 0 0 0 1.5-1.4l.8-9.3',
)
export const MoreIcon: Icon = icon('M4.6 10h.01', 'M10 10h.01', 'M15.4 10h.01')
export const ChevronIcon: Icon = icon('M5.5 7.8 10 12.3l4.5-4.5')
export const DownIcon: Icon = icon('M10 4v11.5', 'M5 10.8l5 5 5-5')
export const SlidersIcon: Icon = icon(
  'M3 6.5h7',
  'M14 6.5h3',
  'M12 4.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
  'M3 13.5h2.5',
  'M9.5 13.5H17',
  'M7.5 11.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z',
)
export const CloseIcon: Icon = icon('M5 5l10 10', 'M15 5 5 15')
export const AlertIcon: Icon = icon('M10 3 17.5 16.2h-15Z', 'M10 8.2v3.4', 'M10 13.9h.01')
export const ImageOffIcon: Icon = icon(
  'M3.5 3.5l13 13',
  'M8 4h7a1.5 1.5 0 0 1 1.5 1.5v7',
  'M4 6v9A1.5 1.5 0 0 0 5.5 16.5h8.5',
  'M4 13.5l3-3 5.5 5.5',
)
export const DownloadIcon: Icon = icon('M10 3.5v9', 'M6 9l4 4 4-4', 'M3.8 16.2h12.4')
export const PauseIcon: Icon = icon('M7 4.5v11', 'M13 4.5v11')
export const PlayIcon: Icon = icon('M6.5 4.2v11.6L15.5 10Z')
export const ChatIcon: Icon = icon(
  'M4.5 4h11A1.5 1.5 0 0 1 17 5.5v7a1.5 1.5 0 0 1-1.5 1.5H9l-4 3v-3h-.5A1.5 1.5 0 0 1 3 12.5v-7A1.5 1.5 0 0 1 4.5 4Z',
)
export const BulbIcon: Icon = icon('M7.5 13.5a5 5 0 1 1 5 0V15h-5Z', 'M8.3 17.5h3.4')
export const CodeIcon: Icon = icon('M7 6 3 10l4 4', 'M13 6l4 4-4 4')
export const TableIcon: Icon = icon('M3.5 4.5h13v11h-13Z', 'M3.5 8.5h13', 'M9 8.5v7')
export const SigmaIcon: Icon = icon('M14.5 6V4h-9l5 6-5 6h9v-2')

export function StopIcon(props: SVGProps<SVGSVGElement>): JSX.Element {
  return (
    <svg viewBox="0 0 20 20" width="1em" height="1em" fill="currentColor" aria-hidden="true" {...props}>
      <rect x="5" y="5" width="10" height="10" rx="2" />
    </svg>
  )
}

/** The seal: 本, "one's own". */
export function Seal(props: SVGProps<SVGSVGElement>): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width="1.75em" height="1.75em" aria-hidden="true" {...props}>
      <rect width="32" height="32" rx="8.5" fill="var(--color-seal)" />
      <path
        d="M7 11.2h18M16 6v20.2M15.6 11.6C14 16 11 19.4 7 21.8M16.4 11.6C18 16 21 19.4 25 21.8M11.8 21.6h8.4"
        fill="none"
        stroke="var(--color-seal-ink)"
        strokeWidth="2.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}
