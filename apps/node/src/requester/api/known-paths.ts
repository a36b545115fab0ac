/** The paths of an API with the methods that each takes. */
export class KnownPaths {
  readonly #paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()

  /** Notes a route; parts of its path that begin with a colon stand for anything. */
  add(path: string, methods: readonly string[]): void {
    const known = this.#paths.get(path) ?? { pattern: patternOf(path), methods: new Set() }
    for (const method of methods) known.methods.add(method)
    this.#paths.set(path, known)
  }

  /** Returns the methods that the path of a URL takes; empty where there is no such path. */
  methodsOf(url: string): readonly string[] {
    const path = pathOf(url)
    const methods = [...this.#paths.values()].flatMap((known) =>
      known.pattern.test(path) ? [...known.methods] : [],
    )
    return [...new Set(methods)].sort()
  }
}

/** Returns the path of a URL; what stands behind the question mark may be a secret, such as a signature. */
export function pathOf(url: string): string {
  return url.replace(/\?.*$/s, '')
}

function patternOf(path: string): RegExp {
  const literal = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${literal.replaceAll(/:[^/]+/g, '[^/]+')}/?$`)
}
