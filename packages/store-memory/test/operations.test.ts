import { operationCases } from '../../../test/operation-cases.ts'
import { STORE_TABLES } from '../../store-core/src/backend.ts'
import { openMemoryKv } from '../src/index.ts'

operationCases({
  name: 'memory',
  durable: false,
  place: () => async () => openMemoryKv({ tables: STORE_TABLES }),
})
