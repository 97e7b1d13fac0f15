/** What must be typed before disks are erased: the node's name, or how many nodes there are. */
export function confirmationWord(targets: readonly { name: string }[]): string {
  return targets.length === 1 ? targets[0]!.name : String(targets.length);
}

export function confirmed(typed: string, word: string): boolean {
  return typed.trim() === word;
}
