/** Waits for something, and no longer than a time; tells whether it came to its end. Rejects as that does. */
export async function within(ms: number, what: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  try {
    return await Promise.race([late, what.then(() => true)])
  } finally {
    clearTimeout(timer)
  }
}
