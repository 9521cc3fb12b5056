/** All commands. Each lives in its own file, which is read only when it is needed. */
import type { Command } from './command.ts'

const loaders = {
  up: async () => (await import('./commands/up.ts')).up,
  serve: async () => (await import('./commands/serve.ts')).serve,
  run: async () => (await import('./commands/run.ts')).run,
  pull: async () => (await import('./commands/pull.ts')).pull,
  models: async () => (await import('./commands/models.ts')).models,
  plan: async () => (await import('./commands/plan.ts')).plan,
  list: async () => (await import('./commands/list.ts')).list,
  show: async () => (await import('./commands/show.ts')).show,
  verify: async () => (await import('./commands/verify.ts')).verify,
  mv: async () => (await import('./commands/mv.ts')).mv,
  du: async () => (await import('./commands/du.ts')).du,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  import: async () => (await import('./commands/import.ts')).importCommand,
  rm: async () => (await import('./commands/rm.ts')).rm,
  ps: async () => (await import('./commands/ps.ts')).ps,
  stop: async () => (await import('./commands/stop.ts')).stop,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
} satisfies Record<string, () => Promise<Command>>

export type CommandName = keyof typeof loaders

export const COMMAND_NAMES: readonly CommandName[] = Object.keys(loaders) as CommandName[]

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(loaders, word)
}

export function loadCommand(name: CommandName): Promise<Command> {
  return loaders[name]()
}
