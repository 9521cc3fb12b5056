import { z } from 'zod'

/** Of OpenAI's tiers those that exist here: `flex` gives way to everybody else. */
export const ServiceTierSchema = z.enum(['default', 'flex'])
export type ServiceTier = z.infer<typeof ServiceTierSchema>

/** The tier that a request gets; what should be faster than the default is served by it. */
export function tierOf(asked: string | null | undefined): ServiceTier {
  return asked === 'flex' ? 'flex' : 'default'
}
