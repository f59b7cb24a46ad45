"""The base of every part of a suite."""

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Base of every part of a suite: unknown fields are errors, values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False
    )
