import { type Config, tlsModeOf } from '@saltcod/config'
import type { Logger } from 'pino'
import { AutoCertificate } from './auto-certificate.ts'
import { FileCertificate } from './file-certificate.ts'
import type { ServerTls } from './server-tls.ts'

/** Opens what the listeners of a node prove themselves with; `null` where they speak no TLS. Throws a `Failure`. */
export async function openServerTls(
  { api, dataDir }: Pick<Config, 'api' | 'dataDir'>,
  log: Logger,
  clock: () => number = Date.now,
): Promise<ServerTls | null> {
  const { certFile = '', keyFile = '', names, certificateLifeMs: lifeMs } = api.tls
  switch (tlsModeOf(api.tls)) {
    case 'off':
      return null
    case 'auto':
      return await AutoCertificate.open({
        repository: dataDir,
        names: [...names, api.host],
        lifeMs,
        clock,
        log,
      })
    case 'file':
      return new FileCertificate({ certFile, keyFile, clock, log })
  }
}
