/** Where other programs keep their models on this machine. */
import os from 'node:os'
import path from 'node:path'

import type { Config } from '../config/settings.ts'
import type { StoreFolders } from '../models/stores/stored-file.ts'

export function storeFolders(
  config: Pick<Config, 'hfCache' | 'ollamaModels' | 'lmStudioModels'>,
  home: string = os.homedir(),
  platform: NodeJS.Platform = process.platform,
): StoreFolders {
  // On Linux the service has a user of its own.
  const services = platform === 'linux' ? ['/usr/share/ollama/.ollama/models', '/var/lib/ollama/models'] : []
  return {
    huggingFace: config.hfCache ?? path.join(home, '.cache', 'huggingface', 'hub'),
    ollama: config.ollamaModels === undefined ? [path.join(home, '.ollama', 'models'), ...services] : [config.ollamaModels],
    lmStudio:
      config.lmStudioModels === undefined
        ? [path.join(home, '.lmstudio', 'models'), path.join(home, '.cache', 'lm-studio', 'models')]
        : [config.lmStudioModels],
  }
}
