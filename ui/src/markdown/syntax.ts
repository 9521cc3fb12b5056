/**
 * What differs from Streamdown's own syntax, by micromark extensions; its `cjk` plugin is the door for them.
 * CommonMark does not see the end of emphasis between punctuation and a Chinese character (`**“粗体”**很好`).
 * @streamdown/cjk cannot be installed (a dependency of it is not published), so its micromark part is used directly.
 */
import { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly'
import type { CjkPlugin } from 'streamdown'
import type { Processor } from 'unified'
import { boundedSearches } from './bounded-searches.ts'

function remarkSyntax(this: Processor): undefined {
  const data = this.data() as { micromarkExtensions?: unknown[] }
  data.micromarkExtensions ??= []
  data.micromarkExtensions.push(cjkFriendlyExtension(), boundedSearches)
}

export const syntax: CjkPlugin = {
  name: 'cjk',
  type: 'cjk',
  remarkPlugins: [remarkSyntax],
  remarkPluginsBefore: [remarkSyntax],
  remarkPluginsAfter: [],
}
