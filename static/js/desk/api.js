// Calls to the API from the desk: JSON in, JSON out, and errors that say whether trying again makes sense.

// The server has read the request and does not take it; sending it again as it is changes nothing.
export class Refused extends Error {
  constructor(status, { code = "", message = "The server refused this.", fields = {} } = {}) {
    const details = Object.entries(fields).map(([name, text]) => `${name}: ${text}`).join("; ");
    super(details ? `${message} (${details})` : message);
    this.status = status;
    this.code = code;
  }
}

// The server did not answer, or not for a reason that lies in the request. `status` is 0 without an answer.
export class Unreachable extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

// The cookie is newer than the page when the person has logged in again in another tab.
function token() {
  const cookie = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="));
  return cookie?.slice("csrftoken=".length) ?? JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
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
    throw new Unreachable("The server answered something else than JSON.", reply.status);
  }
  if (reply.ok) return content;
  const error = content?.error ?? {};
  // 401 and 403 are answered by logging in again, which a judgment can wait for.
  const mayPass = reply.status >= 500 || [401, 403, 429].includes(reply.status);
  if (mayPass && error.code !== "not_invited") {
    throw new Unreachable(error.message ?? "The server cannot take this now.", reply.status);
  }
  throw new Refused(reply.status, error);
}
