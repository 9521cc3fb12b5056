import { useEffect, useState, type JSX } from 'react'
import { useTranslation } from 'react-i18next'
import { copyText } from './copy-text.ts'
import { IconButton } from './ui/button.tsx'
import { CheckIcon, CopyIcon } from './ui/icons.tsx'

/** ms that "copied" is shown. */
const SHOWN_MS = 1600

export interface CopyButtonProps {
  text: string
  label: string
  /** The same with its formatting; asked when it is copied. */
  html?: () => string | undefined
}

export function CopyButton({ text, label, html }: CopyButtonProps): JSX.Element {
  const { t } = useTranslation()
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const id = setTimeout(() => setCopied(false), SHOWN_MS)
    return () => clearTimeout(id)
  }, [copied])
  return (
    <IconButton label={copied ? t('common.copied') : label} size="small" onClick={() => void copyText(text, html?.()).then(setCopied)}>
      {copied ? <CheckIcon /> : <CopyIcon />}
    </IconButton>
  )
}
