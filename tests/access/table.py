"""Who may: every route of the house with the least role that it needs, written by hand.

`anyone`: no session needed. `person`: any account. `annotator`, `reviewer`, `lead`: at least that role in the project
that the path names (a lead is an admin of the project). `admin`: an admin of the installation.
A new route has to be added here; the tests beside this table fail until it is.
"""

ANYONE = """
GET /healthz
GET /sign-in
POST /sign-in
POST /sign-out
POST /theme
GET /invitations/{token}
POST /invitations/{token}
GET /api/v1/openapi.json
"""

PERSON = """
GET /
GET /components
GET /account
POST /account/name
POST /account/letter
POST /account/password
POST /account/tokens
POST /account/tokens/{token_id}/revocation
POST /invitations/{token}/joining
GET /projects
GET /api/v1/me
GET /api/v1/projects
GET /api/v1/tokens
POST /api/v1/tokens
DELETE /api/v1/tokens/{token_id}
GET /api/v1/models
GET /api/v1/rules
"""

ADMIN = """
POST /demo
GET /people
POST /people/{user_id}/role
POST /people/{user_id}/disabling
POST /people/{user_id}/enabling
POST /people/{user_id}/password-link
POST /invitations
POST /invitations/{invitation_id}/withdrawal
POST /projects
GET /trail
GET /models
POST /models
POST /models/{model_id}/retirement
GET /api/v1/people
PATCH /api/v1/people/{user_id}
GET /api/v1/invitations
POST /api/v1/invitations
DELETE /api/v1/invitations/{invitation_id}
POST /api/v1/projects
GET /api/v1/trail
POST /api/v1/models
POST /api/v1/models/{model_id}/retirement
"""

ANNOTATOR = """
GET /projects/{slug}
GET /projects/{slug}/composition.csv
GET /projects/{slug}/settings
GET /projects/{slug}/jobs
GET /projects/{slug}/jobs/{job_id}
POST /projects/{slug}/jobs/{job_id}/cancellation
GET /projects/{slug}/sources
GET /projects/{slug}/sources/exchanges
GET /projects/{slug}/sources/new
POST /projects/{slug}/uploads
GET /projects/{slug}/uploads/{key}
PUT /projects/{slug}/uploads/{key}/{number}
POST /projects/{slug}/uploads/{key}/discard
POST /projects/{slug}/sources/new
GET /projects/{slug}/imports/{import_id}
POST /projects/{slug}/imports/{import_id}
POST /projects/{slug}/imports/{import_id}/again
POST /projects/{slug}/imports/{import_id}/discard
POST /projects/{slug}/imports/{import_id}/records/{record}/restore
POST /projects/{slug}/imports/{import_id}/records/{record}/restore/undoing
GET /projects/{slug}/imports/{import_id}/report.jsonl
GET /projects/{slug}/imports/{import_id}/rules.toml
POST /projects/{slug}/imports/{import_id}/rules
GET /projects/{slug}/duplicates
GET /projects/{slug}/duplicates/scans
POST /projects/{slug}/duplicates/scans
GET /projects/{slug}/duplicates/{pair_id}
POST /projects/{slug}/duplicates/{pair_id}/decision
POST /projects/{slug}/duplicates/{pair_id}/reversal
GET /projects/{slug}/examples/{example_id}/duplicates
GET /projects/{slug}/versions
GET /projects/{slug}/versions/{name}
GET /projects/{slug}/versions/{name}/card
POST /projects/{slug}/versions/{name}/verification
GET /projects/{slug}/examples
POST /projects/{slug}/examples
GET /projects/{slug}/examples/new
POST /projects/{slug}/examples/preview
POST /projects/{slug}/examples/working-copy
POST /projects/{slug}/examples/working-copy/removal
POST /projects/{slug}/examples/difference
POST /projects/{slug}/examples/{example_id}/working-copy
POST /projects/{slug}/examples/{example_id}/working-copy/removal
POST /projects/{slug}/examples/{example_id}/difference
POST /projects/{slug}/remarks
GET /projects/{slug}/style
GET /projects/{slug}/style/guide
GET /projects/{slug}/style/voices
GET /projects/{slug}/examples/{example_id}/remarks
POST /projects/{slug}/examples/{example_id}/remarks
POST /projects/{slug}/examples/{example_id}/remarks/leaving
POST /api/v1/projects/{slug}/remarks
GET /api/v1/projects/{slug}/style
GET /api/v1/projects/{slug}/style/models
GET /api/v1/projects/{slug}/examples/{example_id}/remarks
POST /api/v1/projects/{slug}/examples/{example_id}/remarks/leaving
GET /projects/{slug}/examples/{example_id}
POST /projects/{slug}/examples/{example_id}
GET /projects/{slug}/queue
GET /projects/{slug}/inbox
GET /api/v1/projects/{slug}/inbox
POST /projects/{slug}/queue/next
GET /projects/{slug}/examples/{example_id}/claim
POST /projects/{slug}/examples/{example_id}/claim
POST /projects/{slug}/examples/{example_id}/release
POST /projects/{slug}/examples/{example_id}/skip
POST /projects/{slug}/examples/{example_id}/skip/undoing
POST /projects/{slug}/examples/{example_id}/handing
POST /projects/{slug}/examples/{example_id}/handing/undoing
POST /projects/{slug}/examples/{example_id}/answers
GET /api/v1/projects/{slug}/queue
POST /api/v1/projects/{slug}/examples/next
GET /api/v1/projects/{slug}/examples/{example_id}/claim
PUT /api/v1/projects/{slug}/examples/{example_id}/claim
DELETE /api/v1/projects/{slug}/examples/{example_id}/claim
PUT /api/v1/projects/{slug}/examples/{example_id}/skip
DELETE /api/v1/projects/{slug}/examples/{example_id}/skip
PUT /api/v1/projects/{slug}/examples/{example_id}/handing
DELETE /api/v1/projects/{slug}/examples/{example_id}/handing
POST /api/v1/projects/{slug}/examples/{example_id}/answers
GET /projects/{slug}/examples/{example_id}/history
POST /projects/{slug}/examples/{example_id}/revisions/{number}/restoration
POST /projects/{slug}/examples/{example_id}/withdrawal
GET /projects/{slug}/pool
GET /projects/{slug}/pool/sample
POST /projects/{slug}/pool/selected
POST /projects/{slug}/pool/undoing
GET /projects/{slug}/pool/{candidate_id}
POST /projects/{slug}/pool/{candidate_id}/title
POST /projects/{slug}/pool/{candidate_id}/example
POST /projects/{slug}/pool/{candidate_id}/keeping
POST /projects/{slug}/pool/{candidate_id}/rejection
POST /projects/{slug}/pool/{candidate_id}/restoration
GET /projects/{slug}/review
GET /projects/{slug}/review/{example_id}
GET /projects/{slug}/examples/{example_id}/comments
POST /projects/{slug}/review/{example_id}/comments
POST /projects/{slug}/examples/{example_id}/comments/{comment_id}/{act}
GET /api/v1/projects/{slug}/examples/{example_id}/comments
POST /api/v1/projects/{slug}/examples/{example_id}/comments
POST /api/v1/projects/{slug}/examples/{example_id}/comments/{comment_id}/settlement
POST /api/v1/projects/{slug}/examples/{example_id}/comments/{comment_id}/reopening
GET /projects/{slug}/runs
GET /projects/{slug}/runs/{number}
POST /projects/{slug}/runs/{number}/answers
GET /projects/{slug}/runs/{number}/log.txt
GET /projects/{slug}/runs/{number}/steps
GET /projects/{slug}/runs/{number}/steps.csv
GET /api/v1/projects/{slug}
GET /api/v1/projects/{slug}/composition
GET /api/v1/projects/{slug}/progress
GET /api/v1/projects/{slug}/jobs
GET /api/v1/projects/{slug}/jobs/{job_id}
POST /api/v1/projects/{slug}/jobs/{job_id}/cancellation
GET /api/v1/projects/{slug}/exchanges
GET /api/v1/projects/{slug}/mappings
POST /projects/{slug}/imports/{import_id}/unpacking
POST /api/v1/projects/{slug}/imports/{import_id}/unpacking
PUT /api/v1/projects/{slug}/mappings/{name}
DELETE /api/v1/projects/{slug}/mappings/{name}
POST /api/v1/projects/{slug}/uploads
GET /api/v1/projects/{slug}/uploads/{key}
PUT /api/v1/projects/{slug}/uploads/{key}/{number}
DELETE /api/v1/projects/{slug}/uploads/{key}
GET /api/v1/projects/{slug}/imports
POST /api/v1/projects/{slug}/imports
GET /api/v1/projects/{slug}/imports/{import_id}
GET /api/v1/projects/{slug}/imports/{import_id}/records
POST /api/v1/projects/{slug}/imports/{import_id}/records/{number}/restoration
DELETE /api/v1/projects/{slug}/imports/{import_id}/records/{number}/restoration
GET /api/v1/projects/{slug}/imports/{import_id}/report.jsonl
GET /api/v1/projects/{slug}/duplicates
POST /api/v1/projects/{slug}/duplicates/scans
GET /api/v1/projects/{slug}/duplicates/scans/{scan_id}
GET /api/v1/projects/{slug}/duplicates/{pair_id}
POST /api/v1/projects/{slug}/duplicates/{pair_id}/decision
POST /api/v1/projects/{slug}/duplicates/{pair_id}/reversal
GET /api/v1/projects/{slug}/next-version
GET /api/v1/projects/{slug}/versions
GET /api/v1/projects/{slug}/versions/{name}
GET /api/v1/projects/{slug}/versions/{name}/examples.jsonl
GET /api/v1/projects/{slug}/versions/{name}/manifest
GET /api/v1/projects/{slug}/versions/{name}/verification
GET /api/v1/projects/{slug}/candidates
GET /api/v1/projects/{slug}/candidates/{candidate_id}
POST /api/v1/projects/{slug}/candidates/{candidate_id}/example
POST /api/v1/projects/{slug}/candidates/{candidate_id}/keeping
POST /api/v1/projects/{slug}/candidates/{candidate_id}/rejection
POST /api/v1/projects/{slug}/candidates/{candidate_id}/restoration
POST /api/v1/projects/{slug}/candidates/{candidate_id}/title
POST /api/v1/projects/{slug}/candidates/selected
POST /api/v1/projects/{slug}/candidates/undoing
GET /api/v1/projects/{slug}/sample
GET /api/v1/projects/{slug}/examples
POST /api/v1/projects/{slug}/examples
GET /api/v1/projects/{slug}/examples/{example_id}
PUT /api/v1/projects/{slug}/examples/{example_id}/description
GET /api/v1/projects/{slug}/examples/{example_id}/reviews
GET /api/v1/projects/{slug}/examples/{example_id}/revisions
POST /api/v1/projects/{slug}/examples/{example_id}/revisions
POST /api/v1/projects/{slug}/examples/{example_id}/submission
POST /api/v1/projects/{slug}/examples/{example_id}/withdrawal
GET /api/v1/projects/{slug}/examples/{example_id}/working-copy
PUT /api/v1/projects/{slug}/examples/{example_id}/working-copy
DELETE /api/v1/projects/{slug}/examples/{example_id}/working-copy
GET /api/v1/projects/{slug}/working-copies
GET /api/v1/projects/{slug}/working-copies/{key}
PUT /api/v1/projects/{slug}/working-copies/{key}
DELETE /api/v1/projects/{slug}/working-copies/{key}
GET /api/v1/projects/{slug}/reviews
GET /api/v1/projects/{slug}/runs
GET /api/v1/projects/{slug}/runs/{number}
GET /api/v1/projects/{slug}/runs/{number}/answers
POST /api/v1/projects/{slug}/runs/{number}/answers
GET /api/v1/projects/{slug}/runs/{number}/log
GET /api/v1/projects/{slug}/runs/{number}/steps
"""

REVIEWER = """
POST /projects/{slug}/review/{example_id}
POST /projects/{slug}/review/{example_id}/withdrawal
POST /api/v1/projects/{slug}/examples/{example_id}/reviews
POST /api/v1/projects/{slug}/examples/{example_id}/reviews/withdrawal
"""

LEAD = """
POST /projects/{slug}/pool/sample
POST /projects/{slug}/pool/sample/{number}/undoing
POST /api/v1/projects/{slug}/samples
POST /api/v1/projects/{slug}/samples/{number}/undoing
POST /projects/{slug}/style
POST /projects/{slug}/style/models
PUT /api/v1/projects/{slug}/style
POST /api/v1/projects/{slug}/style/models
POST /projects/{slug}/settings
POST /projects/{slug}/composition
POST /projects/{slug}/queue/overlap
PUT /api/v1/projects/{slug}/queue
POST /projects/{slug}/members
POST /projects/{slug}/members/{user_id}/role
POST /projects/{slug}/members/{user_id}/removal
POST /projects/{slug}/invitations/{invitation_id}/withdrawal
POST /projects/{slug}/archiving
POST /projects/{slug}/reopening
GET /projects/{slug}/trail
POST /projects/{slug}/sources/exchanges
POST /projects/{slug}/versions
POST /projects/{slug}/versions/{name}/exports
GET /projects/{slug}/versions/{name}/exports/{form}.zip
POST /projects/{slug}/review-imported
GET /projects/{slug}/review-agreement
POST /projects/{slug}/review-agreement
GET /api/v1/projects/{slug}/reviews/agreement
PUT /api/v1/projects/{slug}/reviews/needed
POST /projects/{slug}/runs
GET /projects/{slug}/runs/new
POST /projects/{slug}/runs/{number}/cancellation
POST /projects/{slug}/runs/{number}/discard
POST /projects/{slug}/runs/{number}/launch
POST /projects/{slug}/runs/{number}/resumption
PUT /api/v1/projects/{slug}/composition
POST /api/v1/projects/{slug}/archiving
POST /api/v1/projects/{slug}/reopening
GET /api/v1/projects/{slug}/members
PUT /api/v1/projects/{slug}/members
DELETE /api/v1/projects/{slug}/members/{user_id}
PUT /api/v1/projects/{slug}/exchanges
POST /api/v1/projects/{slug}/versions
POST /api/v1/projects/{slug}/versions/{name}/exports
GET /api/v1/projects/{slug}/versions/{name}/exports/{form}.zip
POST /api/v1/projects/{slug}/reviews/imported
POST /api/v1/projects/{slug}/runs
POST /api/v1/projects/{slug}/runs/{number}/cancellation
POST /api/v1/projects/{slug}/runs/{number}/resumption
"""

_BLOCKS = {
    "anyone": ANYONE,
    "person": PERSON,
    "annotator": ANNOTATOR,
    "reviewer": REVIEWER,
    "lead": LEAD,
    "admin": ADMIN,
}

# "METHOD path" -> least role
TABLE = {row: least for least, block in _BLOCKS.items() for row in block.split("\n") if row}

# Who may do what needs at least this.
ALLOWED = {
    "anyone": {"nobody", "stranger", "annotator", "reviewer", "lead", "admin"},
    "person": {"stranger", "annotator", "reviewer", "lead", "admin"},
    "annotator": {"annotator", "reviewer", "lead", "admin"},
    "reviewer": {"reviewer", "lead", "admin"},
    "lead": {"lead", "admin"},
    "admin": {"admin"},
}
ACTORS = ("nobody", "stranger", "annotator", "reviewer", "lead", "admin")
