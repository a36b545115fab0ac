export { DURATION_PATTERN, DURATION_UNITS, formatDuration, parseDuration } from './duration.ts'
export { parseBytes, parseCpu, parseGpu } from './quantity.ts'
export { DECIMAL_SIZES, formatSize, parseSize, SIZE_PATTERN } from './size.ts'
