// Calls to the API from the desk: JSON in, JSON out, and errors that say whether trying again makes sense.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// The server did not answer, or not for a reason that lies in the request.
export class Unreachable extends Error {}

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
}

export async function call(method, path, body, { keepalive = false } = {}) {
  let reply;
  try {
    reply = await fetch(`/api/v1/${path}`, {
      method,
      keepalive,
      headers: { "X-CSRFToken": token(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Unreachable("The server cannot be reached.");
  }
  if (reply.status === 204) return null;
  let content;
  try {
    content = await reply.json();
  } catch {
    throw new Unreachable("The server answered something else than JSON.");
  }
  if (reply.ok) return content;
  const message = content?.error?.message ?? "The server refused this.";
  const details = Object.entries(content?.error?.fields ?? {}).map(([name, text]) => `${name}: ${text}`).join("; ");
  if (reply.status >= 500 || reply.status === 429 || reply.status === 401) throw new Unreachable(message);
  throw new Refused(reply.status, details ? `${message} (${details})` : message);
}
