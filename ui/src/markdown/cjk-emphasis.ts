/**
 * CommonMark does not see the end of emphasis between punctuation and a Chinese character (`**“粗体”**很好`).
 * @streamdown/cjk cannot be installed (a dependency of it is not published), so its micromark part is used directly.
 */
import { cjkFriendlyExtension } from 'micromark-extension-cjk-friendly'
import type { CjkPlugin } from 'streamdown'
import type { Processor } from 'unified'

function remarkCjkEmphasis(this: Processor): undefined {
  const data = this.data() as { micromarkExtensions?: unknown[] }
  data.micromarkExtensions ??= []
  data.micromarkExtensions.push(cjkFriendlyExtension())
}

export const cjkEmphasis: CjkPlugin = {
  name: 'cjk',
  type: 'cjk',
  remarkPlugins: [remarkCjkEmphasis],
  remarkPluginsBefore: [remarkCjkEmphasis],
  remarkPluginsAfter: [],
}
