import type { Part, Pipeline } from './node.ts'
import { PipelineReader } from './pipeline-reader.ts'
import { TemplateProblem } from './problem.ts'
import { type Token, tokensOf } from './token.ts'

const CONTROL = new Set(['if', 'with', 'range', 'else', 'end', 'break', 'continue'])
const REFUSED = new Set(['define', 'template', 'block'])
const SPACES = ' \t\r\n'
const SPACE = /[ \t\r\n]+/y
const DEEPEST = 100

interface Action {
  readonly tokens: readonly Token[]
  readonly offset: number
}

interface Frame {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipeline: Pipeline
  readonly body: Part[]
  otherwise: Part[] | undefined
  /** It is the `if` of an `else if`, and ends with the one that it is in. */
  readonly chained: boolean
  readonly offset: number
  readonly variables: number
}

/** Reads a Go template. Throws a {@link TemplateProblem} for what is none, and for what is not taken. */
export function parseTemplate(source: string): readonly Part[] {
  return new Parser(source).parse()
}

class Parser {
  readonly #source: string
  readonly #top: Part[] = []
  readonly #frames: Frame[] = []
  /** The variables that are known where the reading is. */
  readonly #variables: string[] = ['$']

  constructor(source: string) {
    this.#source = source
  }

  parse(): readonly Part[] {
    let at = 0
    while (at < this.#source.length) {
      const open = this.#source.indexOf('{{', at)
      if (open === -1) break
      const trims = /^-[ \t\r\n]/.test(this.#source.slice(open + 2, open + 4))
      const text = this.#source.slice(at, open)
      this.#add({ kind: 'text', text: trims ? withoutSpaceBehind(text) : text })
      at = this.#readAction(open, open + (trims ? 3 : 2))
    }
    this.#add({ kind: 'text', text: this.#source.slice(at) })
    const open = this.#frames.at(-1)
    if (open !== undefined) throw new TemplateProblem(open.offset, `{{${open.kind}}} has no {{end}}`)
    return this.#top
  }

  /** Reads an action, and returns where the text behind it begins. */
  #readAction(offset: number, start: number): number {
    const comment = this.#endOfComment(start)
    const { tokens, end } =
      comment === undefined ? tokensOf(this.#source, start) : { tokens: [], end: comment }
    if (comment === undefined) this.#take({ tokens, offset })
    if (!this.#source.startsWith('-', end)) return end + 2
    SPACE.lastIndex = end + 3
    return end + 3 + (SPACE.exec(this.#source)?.[0].length ?? 0)
  }

  #endOfComment(start: number): number | undefined {
    SPACE.lastIndex = start
    // Only behind {{- may a space stand before it.
    const at = this.#source[start - 1] === '-' ? start + (SPACE.exec(this.#source)?.[0].length ?? 0) : start
    if (!this.#source.startsWith('/*', at)) return undefined
    const close = this.#source.indexOf('*/', at + 2)
    const end = close + 2
    if (close !== -1 && this.#source.startsWith('}}', end)) return end
    const trimmed = /^[ \t\r\n]+-\}\}/.exec(this.#source.slice(end, end + 100))?.[0]
    if (close !== -1 && trimmed !== undefined) return end + trimmed.length - 3
    throw new TemplateProblem(at, 'a comment is not closed by */}}')
  }

  #take(action: Action): void {
    const [first] = action.tokens
    if (first === undefined) throw new TemplateProblem(action.offset, '{{ }} is empty')
    if (first.kind === 'word' && REFUSED.has(first.text)) {
      throw new TemplateProblem(
        first.offset,
        `{{${first.text}}} is not taken`,
        'write what it stands for at its place',
      )
    }
    if (first.kind !== 'word' || !CONTROL.has(first.text)) {
      const pipeline = this.#pipeline(action.tokens, action.offset, false)
      this.#add({ kind: 'action', pipeline })
      return
    }
    this.#takeControl(first.text, action)
  }

  #takeControl(word: string, { tokens, offset }: Action): void {
    const rest = tokens.slice(1)
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        this.#open(word, rest, offset, false)
        break
      case 'else':
        this.#else(rest, offset)
        break
      case 'end':
        this.#refuseMore(rest, 'end')
        this.#end(offset)
        break
      default:
        this.#refuseMore(rest, word)
        if (!this.#frames.some(({ kind }) => kind === 'range')) {
          throw new TemplateProblem(offset, `{{${word}}} stands outside of {{range}}`)
        }
        this.#add({ kind: word === 'break' ? 'break' : 'continue' })
    }
  }

  #open(kind: Frame['kind'], tokens: readonly Token[], offset: number, chained: boolean): void {
    if (this.#frames.length >= DEEPEST)
      throw new TemplateProblem(offset, `{{${kind}}} is nested more than ${DEEPEST} deep`)
    const variables = this.#variables.length
    const pipeline = this.#pipeline(tokens, offset, kind === 'range')
    this.#frames.push({ kind, pipeline, body: [], otherwise: undefined, chained, offset, variables })
  }

  #else(tokens: readonly Token[], offset: number): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined || frame.otherwise !== undefined) {
      throw new TemplateProblem(offset, '{{else}} stands without an {{if}}, {{with}} or {{range}} before it')
    }
    frame.otherwise = []
    this.#variables.length = frame.variables + (frame.pipeline.declares ? frame.pipeline.variables.length : 0)
    const [next, ...rest] = tokens
    if (next === undefined) return
    if (next.kind === 'word' && (next.text === 'if' || next.text === 'with') && next.text === frame.kind) {
      this.#open(frame.kind, rest, offset, true)
      return
    }
    throw new TemplateProblem(next.offset, `{{else}} of {{${frame.kind}}} cannot be followed by ${next.text}`)
  }

  #end(offset: number): void {
    for (;;) {
      const frame = this.#frames.pop()
      if (frame === undefined)
        throw new TemplateProblem(offset, '{{end}} stands without an {{if}}, {{with}} or {{range}} before it')
      this.#variables.length = frame.variables
      const { kind, pipeline, body, otherwise = [], chained } = frame
      this.#add({ kind, pipeline, body, otherwise })
      if (!chained) return
    }
  }

  #add(part: Part): void {
    if (part.kind === 'text' && part.text === '') return
    const frame = this.#frames.at(-1)
    const parts = frame === undefined ? this.#top : (frame.otherwise ?? frame.body)
    parts.push(part)
  }

  #refuseMore(tokens: readonly Token[], word: string): void {
    const [first] = tokens
    if (first !== undefined) throw new TemplateProblem(first.offset, `{{${word}}} takes nothing behind it`)
  }

  #pipeline(tokens: readonly Token[], offset: number, ofRange: boolean): Pipeline {
    const reader = new PipelineReader(tokens, offset, this.#variables)
    const pipeline = reader.read(ofRange)
    if (pipeline.declares) this.#variables.push(...pipeline.variables)
    return pipeline
  }
}

/** A pattern would look at each run of spaces once for each of its spaces. */
function withoutSpaceBehind(text: string): string {
  let end = text.length
  while (end > 0 && SPACES.includes(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}
