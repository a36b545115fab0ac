export { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts'
export { formatSize, parseSize, SIZE_PATTERN } from './size.ts'
