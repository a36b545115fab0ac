/** A compiled module. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string
}

/** The memory of a guest. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

/** What a module offers, by name: functions, memories, tables, globals. */
export type WasmExports = Readonly<Record<string, unknown>>

/** A module with its imports bound. */
export interface WasmInstance {
  readonly exports: WasmExports
}

/** The part of the WebAssembly interface that a runner uses; the types of Node 20 leave it out. */
export interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    imports(module: WasmModule): { readonly module: string; readonly name: string }[]
  }
  readonly Instance: new (module: WasmModule, imports: Record<string, WasmExports>) => WasmInstance
  readonly RuntimeError: new (message: string) => Error
  readonly Memory: new (descriptor: { readonly initial: number }) => WasmMemory
}

/** The WebAssembly interface of this process. */
export const webAssembly: WebAssemblyApi = Reflect.get(globalThis, 'WebAssembly') as WebAssemblyApi
