import { Component, type ReactNode } from 'react'

export interface ErrorBoundaryProps {
  children: ReactNode
  /** What is shown instead of children that threw. */
  fallback: (error: unknown) => ReactNode
  /** When this changes, the children are tried again. */
  retryKey?: string
}

interface State {
  caught?: { error: unknown } | undefined
  retryKey?: string | undefined
}

/** Keeps what breaks inside from taking the rest of the page with it. A class, because React has no other way to catch. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = {}

  static getDerivedStateFromError(error: unknown): State {
    return { caught: { error } }
  }

  static getDerivedStateFromProps({ retryKey }: ErrorBoundaryProps, state: State): State | null {
    return retryKey === state.retryKey ? null : { retryKey, caught: undefined }
  }

  override render(): ReactNode {
    const { caught } = this.state
    return caught ? this.props.fallback(caught.error) : this.props.children
  }
}
