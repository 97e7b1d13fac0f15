export interface ImageView {
  digest: string;
  name: string;
  architecture: string;
  /** What a disk must have at least. */
  sizeBytes: number;
  /** What is written to it. */
  usedBytes: number;
  /** What travels. */
  storedBytes: number;
  importedAt: number;
  /** Places for a system: 2 where an update may write the one that is not in use. */
  slots: number;
  /** Anybody on the network may fetch it. */
  public: boolean;
  /** Why it cannot be installed on nodes, in words that follow a colon. */
  fault?: string | null;
}

export interface ImportView {
  id: string;
  name: string;
  phase: "decoding" | "storing" | "done" | "refused";
  done: number;
  total: number;
  /** Why it was refused; or what should be known of an image that is done. */
  reason?: string | null;
}

/** A file that can be deployed. */
export interface FileView {
  digest: string;
  name: string;
  sizeBytes: number;
  uploadedAt: number;
}
