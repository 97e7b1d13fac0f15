/** Each tag leads to the nodes that have it. */
export function Tags({ tags }: { tags: readonly string[] }) {
  if (tags.length === 0) return <span class="dim">–</span>;
  return (
    <span class="tags">
      {tags.map((tag) => (
        <a key={tag} href={`/nodes?q=tag:${tag}`}>
          {tag}
        </a>
      ))}
    </span>
  );
}
