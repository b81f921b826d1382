"""Sentences of the refusals of *accounts*."""

from django.utils.translation import gettext_lazy as _

from accounts.areas import Sentence, Words, ngettext_lazy

REFUSALS: dict[str, Sentence] = {
    # shape
    "invalid": _("The request is malformed."),
    "required": _("This field is required."),
    "reason-required": _("Enter a reason."),
    "unknown-field": _("There is no such field."),
    "unknown-field-near": _("There is no such field. The nearest is “{nearest}”."),
    "unknown-act": _(
        "The page that sent this is out of date or incomplete. Nothing was changed: go back and "
        "load it again."
    ),
    "unknown-value": _("This is not one of the choices."),
    "out-of-range": _("This must be between {least} and {most}."),
    "too-long": _("This is too long: at most {most} characters."),
    "too-many": _("There are too many: at most {most}."),
    "too-many-values": _("The body has too many values: at most {most}."),
    "too-many-parameters": _("The request has too many parameters: at most {most}."),
    "files-at-once": _("These are too many files at once: at most {most}."),
    "more-problems": ngettext_lazy(
        "There is {count} more problem.", "There are {count} more problems.", "count"
    ),
    "too-many-decimals": _("This has too many decimals: at most {decimals}."),
    "not-a-text": _("This must be a text."),
    "not-an-integer": _("This must be a whole number."),
    "not-a-decimal": _("This must be a decimal number such as 12.50."),
    "not-a-seal": _("This must be a seal's number and digest such as 7:9f86…, 64 hex digits."),
    "not-an-id": _("This must be an id such as 0197a1de-0000-7000-8000-000000000001."),
    "not-an-address": _("This must be a web address that begins with http:// or https://."),
    "not-a-mail-address": _("This must be an e-mail address."),
    "not-an-iban": _("This is not an IBAN, or it has a typing error."),
    "not-a-bic": _("This must be a BIC of 8 or 11 letters and digits, such as BKCHCNBJ."),
    "not-a-code": _("This must be a short code of letters, digits, dots, dashes and underscores."),
    "not-a-known-code": _("None of the built-in lists of regions has this code, so this is required."),
    "reserved-code": _("This code is reserved. Choose another."),
    "bad-character": _("This contains a character that cannot be stored."),
    "repeated": _("This is listed twice."),
    "unknown-cursor": _("This is not a cursor of this list. Start again without it."),
    "malformed-version": _('This must be a version such as "3", with its quotation marks.'),
    "unknown-currency": _("This is not a currency the platform can account in, such as CNY."),
    "not-an-object": _("This must be an object with named fields."),
    "not-an-object-of": _("This must be an object with the fields {fields}."),
    "not-a-list": _("This must be a list."),
    "not-a-boolean": _("This must be true or false."),
    "not-a-time": _("This must be a time such as 08:30."),
    "not-a-date": _("This must be a date such as 2026-03-06."),
    "not-an-instant": _("This must be an instant such as 2026-03-06T10:00:00+08:00."),
    "naive-time": _("This instant has no offset from UTC: add Z or one such as +08:00."),
    "unknown-calendar": _("There is no such calendar of public holidays. Examples are CN and GB-SCT."),
    "unknown-time-zone": _("There is no such time zone. Use a name such as Asia/Shanghai."),
    "organisation-needed-of": _(
        "Name one of your organisations: {choices}. You can choose a default one in your profile."
    ),
    "organisation-needed": _("Choose the organisation: you belong to several, or to none."),
    "not-a-member": _("You are not a member of {organisation}."),
    "in-the-past": _("This is in the past."),
    "ends-before-it-starts": _("The end must be after the beginning."),
    "lasts-too-long": _("The longest time is {hours} h."),
    "https-only": _("Web addresses must begin with https://."),
    "link-with-at": _("Web addresses must have no @ before their host: it makes them look like another's."),
    "unfit-characters": _("The text has invisible characters, which control or turn it: remove them."),
    "not-for-this-audience": _("Leave this empty: the announcement is for others."),
    "announcement-over": _("This announcement is over or was withdrawn. Make another."),
    "announcements-many": _("Too many announcements are not over: at most {most}. Withdraw one first."),
    "maintenance": _("The platform is under maintenance: nothing can be changed until it is over."),
    "maintenance-many": _("Too many times of maintenance are not over: at most {most}. End one first."),
    "maintenance-over": _("This maintenance is over or was called off."),
    "maintenance-overlaps": _("There is other maintenance at this time. End it or change its end."),
    "unknown-person": _(
        "No account has this ID or e-mail address. The person must first sign up or accept an invitation."
    ),
    "unknown-region": _("There is no region with the code {region}."),
    "code-taken": _("This code is already taken. Choose another."),
    "too-many-organisation-requests": ngettext_lazy(
        "You have {most} request for an organisation that is not answered yet.",
        "You have {most} requests for organisations that are not answered yet.",
        "most",
    ),
    "one-of-both": _("Choose an existing organisation or enter a new one, not both."),
    "same-place": _("This place is already entered under its code in the other list: {other}."),
    "below-itself": _("A region cannot be part of itself or of a region below it."),
    "region-closed": _("This region is closed."),
    "region-has-organisations": _("The region still has open organisations."),
    "region-has-regions": _("There are still open regions below this region."),
    "region-shares-nothing": _(
        "Organisations belong to regions that share instruments. This region does not."
    ),
    "organisation-closed": _("This organisation is closed."),
    "small-is-enterprise": _("Only an enterprise can be small."),
    "not-a-ror": _(
        "This is not a ROR identifier such as https://ror.org/04c4dkn09, or it has a typing error."
    ),
    "not-a-ror-record": _(
        "This is not a record of ROR in JSON. Download it from the organisation's page on ror.org."
    ),
    "region-does-not-share": _("This is not one of the regions that share instruments."),
    # signing in elsewhere
    "unknown-scope": _("“{scope}” is not a scope. Scopes look like example.edu."),
    "scope-taken": _("{scope} already belongs to {organisation}."),
    "scope-not-allowed": _("The provider is not trusted for {scope}."),
    "no-identifier": _("The provider sent no permanent identifier ({wanted})."),
    "sign-in-used": _("This answer was already used or came too late. Start again."),
    "provider-id-taken": _("This short name belongs to an entry of another kind."),
    # who
    "not-permitted": _("You may not do this."),
    "not-signed-in": _("Sign in, or send a token."),
    "bad-token": _("The token is unknown, expired or revoked."),
    "scope-missing": _("The token may not do this: it lacks the scope {scope}."),
    "scope-for-managers": _("Only who manages the members of a whole organisation can give this scope."),
    "second-factor-missing": _("Your role needs a second factor: set one up in your profile."),
    "second-factor-unconfirmed": _(
        "Sign in with your second factor: your role needs it. A token created without one has to "
        "be created again."
    ),
    "second-factor-unread": _(
        "Your second factor cannot be read: the key of the platform (SECRET_KEY) has changed. Sign in with a "
        "passkey if you have one; otherwise tell the administrators, who can bring the earlier key back "
        "(SECRET_KEY_FALLBACKS)."
    ),
    "other-address": _("You came by {used}, but the address of this platform is {address}."),
    "csrf": _("The page was open too long. Reload it and try again."),
    "own-request": _("You cannot decide on your own request."),
    "person-needed": _("A service account cannot do this: a person has to."),
    "own-role": _("You cannot give yourself a role: another manager or an administrator has to."),
    "no-second-accountant": _(
        "This needs a second approver, and {place} has nobody else who may do it. One of its "
        "managers, or an administrator, can give another member the role manager or finance "
        "(People, Members)."
    ),
    "no-second-manager": _(
        "This needs a second approver, and {place} has no other manager. One of its managers, or "
        "an administrator, can give another member the role manager (People, Members)."
    ),
    "no-second-coordinator": _(
        "Only a coordinator of {place} can do this, and none is available. An administrator can "
        "appoint one (People, Roles)."
    ),
    "no-second-auditor": _(
        "You were involved in this, so another auditor must decide, and there is none. An "
        "administrator can appoint one (People, Roles)."
    ),
    "second-exists": _("Somebody else can now do this. Reload the page."),
    "second-asked": _("They have already been asked today. Ask again tomorrow."),
    "access-asked": _(
        "You have already asked for this. Their answer is pending, or came today: ask again tomorrow."
    ),
    "asker-left": _("This person has left since they asked, so no role can be given. Decline the request."),
    "duties-conflict": _(
        "These roles conflict: an auditor cannot be an administrator, or a manager, finance "
        "officer or coordinator of what they audit. Remove the other role first."
    ),
    "member-first": _(
        "Roles at an organisation are for its members, and this person is not one: send an "
        "invitation, which can include roles."
    ),
    "not-of-this-role": _("This role does not apply there."),
    "one-limit": _("Limit a role to a facility or to an instrument, not to both."),
    "last-manager": _("Nobody else manages this organisation: make another person manager first."),
    "move-ahead": _("A move to another region is scheduled: withdraw it first."),
    "same-region": _("It already belongs to this region."),
    "too-far-away": _("This is more than two years away."),
    "before-last-move": _("This must be after its last move, on {day}."),
    "last-administrator": _("There is no other administrator: make another person administrator first."),
    "own-account": _("Nobody does this to their own account: ask another administrator."),
    "own-reset": _("You have asked for this yourself: another administrator has to confirm it."),
    "new-administrator": _(
        "You have been an administrator for less than seven days before this was asked for: an administrator "
        "of longer standing has to confirm it, or the command on the server."
    ),
    "asker-gone": _("Whoever asked for this is no longer an administrator: withdraw it and ask again."),
    "request-expired": _("The request is more than a day old: ask again."),
    "reset-asked": _("An administrator has asked for this already; another one has to confirm it."),
    "no-reset-asked": _("Nobody has asked for this, or it was decided meanwhile."),
    "no-factor": _("This person has no second factor."),
    "address-privileged": _(
        "No administrator alone changes the address of an administrator or auditor: use the command on "
        "the server."
    ),
    "same-address": _("This is the address of the account already."),
    "address-in-use": _("This address belongs to another account."),
    "address-recent": _("The address was changed less than a week ago, and that can still be undone."),
    "address-asked": _("An administrator has asked for this already: withdraw that request first."),
    "no-address-asked": _("Nobody has asked for another address, or it was decided meanwhile."),
    "address-link-over": _("This link no longer works: it was used, withdrawn, or is too old."),
    "no-second-administrator": _(
        "No other administrator has the role for at least seven days, so nobody could confirm it. Use a "
        "recovery code of the person, or the command on the server."
    ),
    "wrong-recovery-code": _("This is not an unused recovery code of this person."),
    "too-many-recovery-codes": _("There were {most} wrong recovery codes today. Try again tomorrow."),
    "too-often-today": _("This was done {most} times for this person within a day. Try again tomorrow."),
    "mail-waits": _("This mail is waiting to be sent."),
    "look-privileged": _("Nobody looks at pages as an administrator or auditor."),
    "looking": _("You are looking at pages as somebody else: nothing can be changed or downloaded."),
    "looking-over": _(
        "You no longer look at pages as somebody else, and this would have been done as yourself: nothing "
        "was changed."
    ),
    "session-needed": _("No token does this: sign in, and confirm who you are on the pages first."),
    "not-recent": _("Confirm who you are on the pages first, then try again within a few minutes."),
    "demonstration": _("This is the demonstration: a real installation begins in its own database."),
    "unconfirmed-account": _(
        "There is an account with this address that is closed, or whose owner has not confirmed "
        "the address. Confirm it first, or use another address."
    ),
    "another-address": _(
        "This invitation was sent to a different e-mail address. Sign in with the account of that address."
    ),
    "not-found": _("There is nothing here, or you may not see it."),
    # joining
    "not-a-mail-domain": _("This must be a mail domain such as example.edu."),
    "public-mail-domain": _(
        "Anyone can get an address at {domain}: it does not show which organisation they belong to."
    ),
    "already-member": _("The person is already a member."),
    "already-asked": _("You have already asked: the answer is pending."),
    "too-many-requests-to-join": _(
        "You are already waiting for {most} answers: withdraw one of the requests first."
    ),
    "too-many-invitations": _("{most} invitations are already open: withdraw some first."),
    "invited-too-often": _("This address was sent {most} invitations within a day. Try again tomorrow."),
    "too-many-invitations-today": _("{most} invitations were sent within a day. Send the others tomorrow."),
    "too-many-to-invite-today": _(
        "The file invites {wanted} people, but only {left} of {most} invitations a day are left. "
        "Split the file, or send the rest tomorrow."
    ),
    "too-many-to-invite": _(
        "The file invites {wanted} people, but only {left} more of at most {most} invitations "
        "can be open at once. Withdraw some, or split the file."
    ),
    "people-refused": ngettext_lazy(
        "{refused} of {rows} rows is refused: nobody was invited.",
        "{refused} of {rows} rows are refused: nobody was invited.",
        "refused",
    ),
    "unknown-role": _("There is no role {role} here: researcher, manager or finance."),
    "another-organisation": _("This page is for one organisation: leave the column empty."),
    "invitation-used": _("This invitation has already been used."),
    "invitation-withdrawn": _("This invitation was withdrawn. Ask for a new one."),
    "invitation-expired": _("This invitation has expired. Ask for a new one."),
    "required-message": _("This cannot be switched off completely: it concerns money or safety."),
    "too-many-views": _("You already have {most} views of this list: delete one of them first."),
    # states and doors
    "wrong-state": _("This is no longer possible: it is now {state}."),
    "no-longer-kept": _("This is no longer kept: it was removed after its time."),
    "wrong-version": _("Somebody has changed this since you opened it. Reload it."),
    "broken-file": _("This file is damaged, or not of the type it claims to be."),
    "too-many-pixels": _("This picture is too large: at most {most} megapixels."),
    "idempotency-key-reused": _("This idempotency key was already used with a different request."),
    "still-running": _("The same request is still being carried out."),
    "too-many-requests": _("Too many requests. Wait a moment."),
    "too-many-transfers": ngettext_lazy(
        "{most} transfer of yours, or from your network, is under way already. Try again when it has ended.",
        "{most} transfers of yours, or from your network, are under way already. Try again when "
        "one of them has ended.",
        "most",
    ),
    "method-not-allowed": _("This address does not support that method."),
    "not-acceptable": _("This address answers in JSON only."),
    "unsupported-media-type": _("Send JSON (application/json)."),
    "never-given-up": _("This work is not given up, because the books are wrong until it is done."),
    "malformed": _("The request could not be read: {problem}"),
    "length-required": _("Send the length of the body (Content-Length), not chunks."),
    "request-too-large": _("The request is too large."),
    "busy": _("Too many people are doing this at once. Try again."),
    "database-away": _("The platform cannot reach its database just now. Try again in a few seconds."),
    "cut-short": _("This file is incomplete. Download it again."),
    "files-away": _("Uploaded files cannot be reached just now. Try again in a few minutes."),
    "failed": _("Something went wrong on the server. It has been recorded; try again."),
    "refused": _("This was refused."),
}

# What the trail calls acts.
ACTS: dict[str, Words] = {
    "messages.choose": _("Message settings changed"),
    "effect.retry": _("Failed action retried"),
    "effect.give-up": _("Failed action given up"),
    "job.retry": _("Failed job retried"),
    "region.create": _("Region entered"),
    "region.change": _("Region changed"),
    "region.close": _("Region closed"),
    "organisation.create": _("Organisation entered"),
    "organisation.move": _("Move to another region scheduled"),
    "organisation.move-withdraw": _("Move to another region withdrawn"),
    "organisation.change": _("Organisation changed"),
    "organisationrequest.create": _("Missing organisation requested"),
    "organisationrequest.approve": _("Request for an organisation approved"),
    "organisationrequest.reject": _("Request for an organisation declined"),
    "organisationrequest.withdraw": _("Request for an organisation withdrawn"),
    "membership.start": _("Membership started"),
    "membership.end": _("Membership ended"),
    "role.request": _("Role asked for"),
    "role.ask": _("Second approver requested"),
    "role.grant": _("Role granted"),
    "role.revoke": _("Role removed"),
    "invitation.send": _("Invited"),
    "invitation.accept": _("Invitation accepted"),
    "invitation.change": _("Roles of an invitation changed"),
    "invitation.withdraw": _("Invitation withdrawn"),
    "joinrequest.create": _("Asked to join"),
    "joinrequest.approve": _("Request to join approved"),
    "joinrequest.reject": _("Request to join declined"),
    "joinrequest.readdress": _("Request to join transferred"),
    "joinrequest.withdraw": _("Request to join withdrawn"),
    "accessrequest.create": _("Role asked for"),
    "accessrequest.approve": _("Request for a role granted"),
    "accessrequest.reject": _("Request for a role declined"),
    "accessrequest.withdraw": _("Request for a role withdrawn"),
    "organisation.joining": _("Ways to join changed"),
    "organisation.invoice-details": _("Invoice details changed"),
    "organisation.scopes": _("Scopes changed"),
    "installation.create": _("Platform set up"),
    "installation.update": _("Name and rules of the platform changed"),
    "announcement.make": _("Announcement made"),
    "announcement.change": _("Announcement changed"),
    "announcement.withdraw": _("Announcement withdrawn"),
    "maintenance.plan": _("Maintenance turned on or planned"),
    "maintenance.prolong": _("End of maintenance changed"),
    "maintenance.end": _("Maintenance ended or called off"),
    "provider.create": _("Sign-in provider added"),
    "provider.update": _("Sign-in provider changed"),
    "provider.delete": _("Sign-in provider removed"),
    "user.way-add": _("Way to sign in added"),
    "user.way-remove": _("Way to sign in removed"),
    "token.issue": _("Token created"),
    "token.revoke": _("Token revoked"),
    "user.create": _("Signed up"),
    "user.update": _("Profile changed"),
    "user.email-verify": _("E-mail address confirmed"),
    "user.email-change": _("E-mail address changed"),
    "user.password-change": _("Password changed"),
    "user.password-reset": _("Password reset"),
    "user.factor-add": _("Second factor turned on"),
    "user.factor-remove": _("Second factor turned off"),
    "user.factor-renew": _("Recovery codes regenerated"),
    "user.sign-in-block": _("Sign-in blocked for a while: too many wrong passwords"),
    "user.sign-in-unlock": _("Sign-in unlocked"),
    "user.sessions-end": _("Sessions ended by an administrator"),
    "user.program-allow": _("Program allowed to act for them"),
    "user.program-end": _("Program may no longer act for them"),
    "user.tokens-revoke": _("Tokens revoked by an administrator"),
    "user.suspend": _("Account suspended"),
    "user.restore": _("Account brought back"),
    "user.factor-reset-ask": _("Reset of the second factor requested"),
    "user.factor-reset-withdraw": _("Reset of the second factor withdrawn"),
    "user.factor-reset": _("Second factor reset"),
    "user.address-ask": _("Another address requested for this person"),
    "user.address-withdraw": _("Request for another address withdrawn"),
    "user.address-take": _("Address changed with the link to the new address"),
    "user.address-stop": _("Change of the address stopped by the old address"),
    "user.address-undo": _("Change of the address undone by the old address"),
    "user.mail-resend": _("Mail sent again"),
    "user.password-link": _("Link to set a password sent"),
    "user.look": _("Looked at pages as this person"),
    "user.look-end": _("Stopped looking at pages as this person"),
    "user.close": _("Account closed for good"),
    "user.erase": _("Personal data erased"),
}
