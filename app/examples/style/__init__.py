"""House style: the rules, in the order in which pages list them."""

from app.examples.style.base import Draft, Fix, Habit, Remark, Rule, line_of
from app.examples.style.fit import Acknowledgement, LengthHabit, OtherLanguage, PersonalData
from app.examples.style.layout import Headings, Lists
from app.examples.style.leftovers import Fences, Images, Invisible, LeftoverHtml, Links
from app.examples.style.voice import AsAnAi, Chatbot, FirstPerson, References

RULES: tuple[type[Rule], ...] = (
    *(FirstPerson, References, AsAnAi, Acknowledgement),
    *(LeftoverHtml, Links, Images, Invisible, Fences, Headings, Lists),
    *(LengthHabit, OtherLanguage, PersonalData, Chatbot),
)

__all__ = ["RULES", "Draft", "Fix", "Habit", "Remark", "Rule", "line_of"]
