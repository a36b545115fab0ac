import { z } from 'zod'
import { type Declaration, requiredText } from '../../spec/parameters.ts'

const parameters = z.object({
  URL: requiredText('give a URL that begins with "http:" or "https:"')
    .refine(
      (url) => !URL.canParse(url) || /^https?:$/.test(new URL(url).protocol),
      'must begin with "http:" or "https:"',
    )
    .refine((url) => URL.canParse(url), 'is no URL')
    .refine(
      (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
      'must not hold a user name or password',
    ),
})

/** The parameters of the source. */
export type DownloadParameters = z.output<typeof parameters>

/** What a job may say to the source. */
export const URL_DOWNLOAD: Declaration<DownloadParameters> = { type: 'urlDownload', parameters }
