import { expect, test } from 'vitest'

import { findStores, loadConfig } from '../src/index.ts'

test('an option that there is not is a mistake of the caller, named with the nearest one', () => {
  expect(() => loadConfig({ environment: {} } as never)).toThrow(TypeError)
  expect(() => loadConfig({ file: ['a.yaml'] } as never)).toThrow(
    'loadConfig: unknown key file; did you mean files?',
  )
  expect(() => findStores({ nodeID: 'n' } as never)).toThrow(
    'findStores: unknown key nodeID; did you mean nodeId?',
  )
})
