"""How pages call the rules, and what drops records whatever the rules."""

from app.sources.rules import ALL
from app.sources.rulesets import EMPTY, NO_QUESTION, REPEATED

READ = "read"
TITLES = {kind.name: kind.title for kind in ALL} | {
    REPEATED: "Each record once",
    NO_QUESTION: "Answers with a question",
    EMPTY: "Words besides images",
}
