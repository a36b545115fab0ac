/** Runs what takes minutes and hours. */
export const IS_LONG = process.env['SALTCOD_LONG'] !== undefined

/**
 * Returns the seed of what a test does at random: `SALTCOD_SEED`, any other in a long run, and 1 in a short one, so
 * that what fails in it comes from what was changed. At most 2^30.
 */
export function testSeed(): number {
  const asked = process.env['SALTCOD_SEED']
  if (asked !== undefined) return Number(asked)
  return IS_LONG ? Math.floor(Math.random() * 2 ** 30) : 1
}
