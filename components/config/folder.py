"""Where the project keeps the states of both engines, and its id; `backend` of Pulumi.yaml leads there."""

STATE_FOLDER = ".pulumi-state"
