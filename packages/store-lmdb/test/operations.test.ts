import { join } from 'node:path'
import { operationCases } from '../../../test/operation-cases.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { STORE_TABLES } from '../../store-core/src/backend.ts'
import { openLmdbKv } from '../src/index.ts'

operationCases({
  name: 'lmdb',
  durable: true,
  every: 8,
  place: () => {
    const path = join(temporaryDirectory(), 'store.db')
    return (readOnly) => openLmdbKv({ path, tables: STORE_TABLES, readOnly })
  },
})
