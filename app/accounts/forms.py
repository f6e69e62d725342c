"""What people post at the door and about themselves."""

from app.accounts.models import Role
from app.web.forms import Address, Form, Line, Secret


class SignInForm(Form):
    """E-mail and password, and where to go then."""

    email: Address
    password: Secret
    next: str = "/"


class PasswordForm(Form):
    """The present password and the next."""

    old_password: Secret
    new_password: Secret


class NameForm(Form):
    """The name to show."""

    name: Line


class RoleForm(Form):
    """A role in the installation."""

    role: Role


class PersonChange(Form):
    """What an admin changes of a person; what is left out stays."""

    role: Role | None = None
    active: bool | None = None
