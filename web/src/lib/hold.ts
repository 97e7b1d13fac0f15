/** Seconds in which an order that stops nodes or erases disks can be undone: nothing of it is sent before. */
export const holdSeconds = 10;
