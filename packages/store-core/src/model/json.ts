/** A value that JSON can hold; what the store keeps for its users without reading it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** A flat map of short texts, such as labels or the details of an event. */
export type TextMap = Readonly<Record<string, string>>
