import { problemText } from "./client";

/** An upload under way; `done` ends well, or fails with the appliance's own sentence. */
export interface Upload {
  done: Promise<void>;
  abort: () => void;
}

/**
 * Sends an image file. fetch() cannot tell how much of a body has gone out, so XMLHttpRequest does it.
 * @param architecture Empty where the image says it itself.
 */
export function uploadImage(file: File, name: string, architecture: string, progress: (sent: number, total: number) => void): Upload {
  const request = new XMLHttpRequest();
  const query = new URLSearchParams({ name });
  if (architecture !== "") query.set("architecture", architecture);
  request.open("POST", `/api/v1/images?${query}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.onprogress = (e) => progress(e.loaded, e.total);
  const done = new Promise<void>((resolve, reject) => {
    request.onload = () =>
      request.status < 300 ? resolve() : reject(new Error(problemText(request.status, request.responseText)));
    // A refusal in the middle of the body resets the connection in some browsers; its reason comes as an event too.
    request.onerror = () => reject(new Error("The upload was broken off."));
    request.onabort = () => reject(new Error("The upload was cancelled. Nothing was stored."));
  });
  request.send(file);
  return { done, abort: () => request.abort() };
}
