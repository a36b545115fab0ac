/** Tells the time in milliseconds since 1970. The only clock that the stores read is the one handed to them. */
export type Clock = () => number
