import type { Declaration } from '../spec/parameters.ts'
import type { InputFetcher } from './input-fetcher.ts'

/** A kind of input source: what a job may say to it, where what it brings lies, and how a node fetches it. */
export interface InputKind<Params = unknown> extends Declaration<Params> {
  /** Other types that mean the same. */
  readonly aliases?: readonly string[]
  /** True where all that it brings stands in its parameters, so that jobs which say the same may share it. */
  readonly isConstant: boolean
  /** Names the file in the target directory that it brings; absent where it brings what lies at the target itself. */
  fileName?(params: Params | undefined): string
  /** Loads what fetches it, so that whoever just reads jobs does without. */
  load(): Promise<InputFetcher<Params>>
}
