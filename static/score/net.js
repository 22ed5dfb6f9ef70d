// One way to post and one to fetch a part of the page. Nothing is kept by the browser: no-store both ways.

/** {ok, status, told} from the server; {offline: true} without an answer; {out: true} when one is signed out. */
export const post = async (url, fields) => {
  const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
  try {
    const answer = await fetch(url, {
      method: "POST", body, cache: "no-store", headers: { Accept: "application/json" },
    });
    if (!(answer.headers.get("Content-Type") || "").includes("json")) {
      return { ok: false, status: answer.status, out: answer.redirected || answer.status === 403, told: {} };
    }
    return { ok: answer.ok, status: answer.status, told: await answer.json() };
  } catch {
    return { ok: false, status: 0, offline: true, told: {} };
  }
};

/** The words of a refusal, with what to do about it. */
export const words = ({ told, out }) => {
  if (out) return "you are signed out; what you entered is kept here: sign in and open the record again";
  return [told.title, told.detail].filter(Boolean).join(" ") || "the server did not take it";
};

export const part = async (url) => {
  const answer = await fetch(url, { cache: "no-store", headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return null;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  return document.adoptNode(found.getElementById("screen"));
};
