"""How a checkpoint's answers are drawn; the defaults are LIMA's."""

from typing import Annotated

from pydantic import Field

from app.web.forms import Form


class Decoding(Form):
    """Settings of one answer, as `python -m training.generate` takes them."""

    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False, description="0: the likeliest token.")] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False, description="Share of probability drawn from.")] = (
        0.9
    )
    repetition_penalty: Annotated[
        float, Field(ge=0.1, le=10, allow_inf_nan=False, description="On tokens of the answer alone; 1 is none.")
    ] = 1.2
    max_new_tokens: Annotated[int, Field(ge=1, le=131_072, description="Longest answer, in tokens.")] = 2048
    seed: Annotated[int, Field(ge=0, lt=2**31, description="The same seed gives the same answer.")] = 0

    def options(self) -> list[str]:
        """As options of the command; each is one word, so that no value can pass for another option."""
        return [f"--{name.replace('_', '-')}={value}" for name, value in self.model_dump().items()]
