/** Where the kernel lists what is mounted, as this process sees it (proc_pid_mountinfo(5)). */
export const MOUNT_TABLE = '/proc/self/mountinfo'

/** A path of that table as it is: the kernel writes spaces and the like in octal. */
export function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
