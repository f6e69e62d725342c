"""What the Hub means when it refuses what is sent to it, as a part of a sentence."""

from collections.abc import Mapping

from app.sources.hubwords import DISABLED, NO_SUCH_TOKEN

LONGEST = 200
BUSY = "the Hub answers no more requests from here for now; try again later"


def why(status: int, headers: Mapping[str, str], said: str, *, repository: str, token_from: str) -> str:
    """Say what an answer means and what to do; `said` are the Hub's own words, without the token."""
    message, code = headers.get("X-Error-Message", ""), headers.get("X-Error-Code", "")
    if message == DISABLED:
        return f"the Hub has disabled {repository}"
    if message == NO_SUCH_TOKEN:
        return f"the Hub does not know {token_from}; take a new one at the Hub, under Settings, Access Tokens"
    if status in {401, 403} or code == "RepoNotFound":
        return f"the Hub does not let {token_from} write to {repository}; give it write access to it, or take another"
    own = {413: "the Hub finds a file too large", 429: BUSY}
    if status >= 500:
        return f"the Hub answered with an error of its own ({status}); try again later"
    return own.get(status, f"the Hub refused it ({status}{': ' + said if said else ''})")


def plain(said: str | None, token: str) -> str:
    """The Hub's words on one line, short, and without the token, whatever it repeats."""
    text = " ".join((said or "").replace(token, "…").split())
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "…"
