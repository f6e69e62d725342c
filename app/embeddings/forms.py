"""What a lead posts about the model that a project compares by."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.web.forms import Form, Text


class ModelForm(Form):
    """Another model, or another precision of the same."""

    model: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=380)] = Field(
        "", description="A Hub id or a folder on the server (admins of the installation); empty: the installation's."
    )
    eight_bits: bool = Field(False, description="In 8 bits: quicker, and near to the exact vectors, not equal to them.")
