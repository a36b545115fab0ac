/**
 * Says of each engine of a node what is reserved for a job, and beyond that enforced while it runs: processors,
 * memory, disk, GPUs.
 */
export function enforcementRows(
  engines: readonly string[],
  labels: Readonly<Record<string, string>>,
): string[][] {
  const controllers = (labels['saltcod/exec-controllers'] ?? '').split('-')
  const dockerLimits = labels['saltcod/docker-limits']?.split('-')
  const byKernel = (name: string): string =>
    dockerLimits === undefined || dockerLimits.includes(name) ? 'limit, by the kernel' : 'reserved'
  const isPodman = labels['saltcod/docker-server']?.startsWith('Podman') === true
  const rows: Readonly<Record<string, string[]>> = {
    docker: [byKernel('cpu'), byKernel('memory'), 'limit, watched', isPodman ? 'refused' : 'passed on'],
    exec: [
      controllers.includes('cpu') ? 'share where short' : 'reserved',
      controllers.includes('memory') ? 'limit, by the kernel' : 'limit, watched',
      'limit',
      'reserved',
    ],
    noop: ['reserved', 'reserved', 'reserved', 'reserved'],
    wasm: ['reserved', 'limit', 'limit', 'reserved'],
  }
  return engines.flatMap((engine) => {
    const row = rows[engine]
    return row === undefined ? [] : [[engine, ...row]]
  })
}
