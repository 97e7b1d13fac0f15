/** Whether what must be typed before disks are erased was typed. */
export function confirmed(typed: string, word: string): boolean {
  return typed.trim() === word;
}
