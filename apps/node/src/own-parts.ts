/** What the program is made of. */
export type OwnParts = Pick<typeof import('./cli/run.ts'), 'run'> &
  Pick<typeof import('./exit-code.ts'), 'EXIT'> &
  Pick<typeof import('@saltcod/cli-kit'), 'processTerminal'>

/** Wrong usage or configuration; `exit-code.ts` may not be there to say so. */
const EXIT_USAGE = 2

/** Loads the program, which takes more open files at once than some limits allow; ends the process where it cannot. */
export async function ownParts(): Promise<OwnParts> {
  try {
    const [{ run }, { EXIT }, { processTerminal }] = await Promise.all([
      import('./cli/run.ts'),
      import('./exit-code.ts'),
      import('@saltcod/cli-kit'),
    ])
    return { run, EXIT, processTerminal }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error
    process.stderr.write(
      'Error: the limit of open files is too low to start this program\nHint: raise it to 1024 or more (ulimit -n, LimitNOFILE)\n',
    )
    process.exit(EXIT_USAGE)
  }
}
