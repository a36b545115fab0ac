/** The detail of an entry of a job's history that says that a job which should run for ever is healthy. */
export const HEALTHY_DETAIL = 'Healthy'

/** The detail that says how often such a job has ended in a row without having been healthy. */
export const ENDS_DETAIL = 'EndsInARow'
