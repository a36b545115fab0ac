import { readFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { type WireBuildVersion, ZERO_TIME } from '@saltcod/bacalhau-records'

/** Returns the version of this program, as its package says. */
export function programVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const manifest = JSON.parse(text) as { readonly version: string }
  return manifest.version
}

/** Returns the version of this program as clients read it. */
export function buildVersion(): WireBuildVersion {
  const version = programVersion()
  const [major = '0', minor = '0'] = version.split('.')
  return {
    Major: major,
    Minor: minor,
    GitVersion: `v${version}`,
    GitCommit: '',
    BuildDate: ZERO_TIME,
    GOOS: platform(),
    GOARCH: arch() === 'x64' ? 'amd64' : arch(),
  }
}
