/** The detail of an entry of an execution's history that says what is missing of its results. */
export const LEFT_OUT_DETAIL = 'leftOut'
