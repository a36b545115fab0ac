/** Where the value of a setting came from. */
export type Origin =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly line: number }
  | { readonly kind: 'default' }

/** Says where a value came from in a few words: `--repo`, `BACALHAU_DIR`, `saltcod.yaml:3`, or `default`. */
export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'flag':
    case 'environment':
      return origin.name
    case 'file':
      return origin.line > 0 ? `${origin.path}:${origin.line}` : origin.path
    case 'default':
      return 'default'
  }
}
