/** What the commands reach beyond the terminal; tests replace parts of it. */
import type { CreateEngine } from '../platform/deployment-lives.ts'

export interface CliServices {
  /** Absent = the embedded engine. */
  createEngine?: CreateEngine
  /** Absent = the system's own program for addresses. */
  openBrowser?: (address: string) => Promise<void>
  /** The built page. Absent = beside the server's code. */
  pageFolder?: string
  /** The address that `publish` tells; only tests want to know it early. */
  onListening?: (address: string) => void
}
