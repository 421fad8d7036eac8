//! The catalogue in German.

use super::{ErrorText, ErrorTexts, Text};
use crate::language::Language;

pub(super) static TEXT: Text = Text {
    language: Language::German,
    errors: &ERRORS,
    footer: "Anmeldung bei {operator}",
    no_name: "(ohne Namen)",
    quoted: "„{name}“",
    document_title: "{page} · {operator}",

    sign_in: "Anmelden",
    sign_in_alone: "Wählen Sie, womit Sie sich anmelden.",
    signing_in_gives_nothing: "Die Anmeldung sagt uns, wer Sie sind. Sie gibt dem Programm noch \
        keinen Zugriff.",
    no_providers: "Auf diesem Server ist noch keine Anmeldung eingerichtet. Bitte wenden Sie sich \
        an den Betreiber.",
    continue_with: "Weiter mit {provider}",
    stand_in: "Nur für die Entwicklung: Auf diesem Rechner läuft ein Ersatz für {provider}. Er \
        prüft nicht, wer Sie sind.",
    name_asks_to_sign_in: "{client} bittet Sie, sich anzumelden.",
    host_asks_to_sign_in: "{host} bittet Sie, sich anzumelden. Es nennt sich {client}.",
    calls_itself: "Programm mit dem selbst gewählten Namen {client}",
    sign_in_declined: "{provider} hat Sie nicht angemeldet. Nichts wurde erlaubt; Sie können es \
        noch einmal versuchen.",
    sign_in_confirm: "Bitte melden Sie sich noch einmal an: Für diesen Schritt müssen wir sicher \
        sein, dass Sie es sind.",

    signed_in_as: "Angemeldet als",
    change: "Wechseln",
    change_account: "Konto wechseln",
    allow_question: "Darf {client} {resource} benutzen?",
    allow_more: "Darf {client} mit {resource} mehr tun?",
    will_be_able_to: "Das Programm kann dann",
    will_also_be_able_to: "Neu: Das Programm kann dann auch",
    your_choice: "Ihre Wahl",
    also_your_choice: "Neu: Ihre Wahl",
    allowed_before: "Was Sie schon erlaubt haben ({count})",
    no_scopes: "Es verlangt keine besondere Berechtigung.",
    unknown_scope: "Die Berechtigung {scope} nutzen, zu der es keine Beschreibung gibt",
    sensitive: "Weitreichend",
    sent_back_to: "Die Antwort geht an",

    unverified_program: "Ungeprüftes Programm",
    known_program: "Bei {operator} eingetragenes Programm",
    asks_here: "{who} auf diesem Rechner",
    asks_from: "{who} · Antwort an {host}",
    any_name: "Erlauben Sie es nur, wenn Sie {host} kennen: Jedes Programm kann sich so nennen.",
    any_name_here: "Erlauben Sie es nur, wenn Sie es gerade selbst gestartet haben: Jedes Programm \
        kann sich so nennen.",
    started_here: "Erlauben Sie es nur, wenn Sie es gerade selbst gestartet haben.",
    private_scheme: "Die Antwort geht an die App, die auf diesem Gerät solche Links öffnet.",
    brand_claim: "Der Name erwähnt {brand}, aber keine seiner Adressen gehört zu {brand}.",
    mixed_alphabets: "Der Name mischt ähnliche Buchstaben verschiedener Alphabete.",
    international_host: "Eine Adresse enthält Buchstaben außerhalb von a bis z, die anderen \
        ähneln.",

    allow: "Erlauben",
    deny: "Ablehnen",
    details: "Technische Angaben",
    client_id: "Kennung des Programms",
    redirect_address: "Rücksprungadresse",
    resource: "Ressource",
    scopes: "Berechtigungen",
    own_pages: "Seine eigenen Seiten, von uns nicht geprüft",
    own_home: "Startseite",
    own_policy: "Datenschutz",
    own_terms: "Nutzungsbedingungen",
    keeps_access: "Der Zugriff bleibt bis zu {days} Tage bestehen, ohne erneut zu fragen.",
    once_for_all: "Starten Sie das selbst erneut, werden Sie bei gleichem Zugriff nicht gefragt.",
    remove_any_time: "Sie können ihn jederzeit auf Ihrer Kontoseite entziehen.",

    scope_openid: "Sie wiedererkennen, wenn Sie zurückkehren",
    scope_profile: "Ihren Namen, Benutzernamen und Ihr Bild sehen",
    scope_email: "Ihre E-Mail-Adresse sehen",
    scope_offline_access: "Den Zugriff behalten, wenn Sie nicht da sind",

    device_title: "Gerät verbinden",
    device_lead: "Geben Sie den Code ein, den Ihr Gerät oder Terminal zeigt.",
    device_code: "Code",
    device_hint: "Großschreibung und Striche spielen keine Rolle.",
    device_continue: "Weiter",
    device_unknown: "Kein Gerät wartet auf diesen Code. Prüfen Sie ihn oder holen Sie einen \
        neuen: Ein Code gilt wenige Minuten und nur einmal.",
    device_too_many: "Es wurden zu viele Codes versucht. Warten Sie einige Minuten.",
    device_question: "{client} mit {resource} verbinden?",
    device_same_code: "Zeigt das Gerät genau diesen Code?",
    device_phishing: "Hat Ihnen jemand diesen Code oder Link geschickt? Dann lehnen Sie ab, sonst \
        erhält er Zugriff auf Ihr Konto.",
    device_beware: "Hat Ihnen jemand einen Code oder einen Link zu dieser Seite geschickt? Dann \
        brechen Sie ab, sonst erhält er Zugriff auf Ihr Konto.",
    device_started_it: "Ich habe das selbst gestartet, und das Gerät vor mir zeigt diesen Code.",
    device_not_ticked: "Setzen Sie zuerst das Häkchen: Nur Sie wissen, ob Sie das gestartet haben.",
    device_allowed: "Das Gerät ist verbunden",
    device_allowed_lead: "Gehen Sie zu ihm zurück; es macht in wenigen Sekunden weiter. Sie \
        können diese Seite schließen.",
    device_denied: "Das Gerät wurde nicht verbunden",
    device_denied_lead: "Ihm wurde mitgeteilt, dass Sie abgelehnt haben. Sie können diese Seite \
        schließen.",

    account: "Ihr Konto",
    account_lead: "Was in Ihrem Namen handeln darf und wo Sie angemeldet sind.",
    connected_apps: "Verbundene Programme",
    no_apps: "Kein Programm hat Zugriff. Wenn Sie einem Programm Zugriff erlauben, erscheint es hier, \
        und Sie können ihn wieder entziehen.",
    older: "Ältere",
    newer: "Neuere",
    first_used: "Erlaubt am {date}",
    last_used: "Zuletzt benutzt",
    installations: "{count} Installationen",
    more: "{count} weitere",
    can_use: "Darf {resource} benutzen",
    remove_access: "Zugriff entziehen",
    remove_access_sure: "Wird der Zugriff entzogen, ist das Programm in wenigen Sekunden abgemeldet und muss \
        Sie neu fragen.",
    access_removed: "Der Zugriff von {client} wurde entzogen.",
    unverified_badge: "Ungeprüft",
    sessions: "Angemeldete Browser",
    this_browser: "Dieser Browser",
    signed_in_at: "Angemeldet",
    last_seen: "Zuletzt benutzt",
    sign_out_there: "Dort abmelden",
    signed_out_there: "Der andere Browser wurde abgemeldet.",
    sign_out_elsewhere: "Überall sonst abmelden",
    sign_out_elsewhere_hint: "Verbundene Programme behalten ihren Zugriff.",
    signed_out_elsewhere: "Alle anderen Browser wurden abgemeldet.",
    browser_on: "{browser} unter {system}",
    unknown_device: "Unbekannter Browser",
    identities: "Anmeldemöglichkeiten",
    identity_since: "seit {date}",
    identity_at: "{provider}, Konto {subject}",
    identity_last: "Ihre einzige Anmeldemöglichkeit",
    link_another: "{provider} hinzufügen",
    remove_identity: "Entfernen",
    remove_identity_sure: "Mit {provider} können Sie sich hier dann nicht mehr anmelden, und alle \
        anderen Browser werden abgemeldet. Wer sich später damit anmeldet, erhält ein neues, \
        leeres Konto.",
    remove_identity_now: "Diese Anmeldemöglichkeit entfernen",
    identity_removed: "{provider} ist keine Anmeldemöglichkeit mehr. Alle anderen Browser wurden \
        abgemeldet.",
    events: "Letzte Ereignisse",
    no_events: "Bisher ist nichts geschehen.",
    your_data: "Ihre Daten",
    your_data_lead: "Laden Sie alles, was dieser Server über Sie weiß, als eine Datei herunter, \
        oder löschen Sie es.",
    download: "Meine Daten herunterladen",
    delete_account: "Mein Konto löschen",
    network: "Netz {network}",
    unknown_network: "unbekannt",
    this_computer: "dieser Rechner",

    event_signed_in: "Sie haben sich angemeldet",
    event_signed_out: "Sie haben sich abgemeldet",
    event_signed_out_elsewhere: "Sie haben alle anderen Browser abgemeldet",
    event_access_allowed: "Sie haben einem Programm Zugriff erlaubt",
    event_device_allowed: "Sie haben ein Gerät verbunden",
    event_access_denied: "Sie haben ein Programm abgelehnt",
    event_access_removed: "Sie haben einem Programm den Zugriff entzogen",
    event_token_replayed: "Ein kopiertes Token oder ein kopierter Code wurde benutzt, daher wurde ein Programm \
        abgemeldet",
    event_identity_linked: "Eine Anmeldemöglichkeit wurde hinzugefügt",
    event_identity_unlinked: "Eine Anmeldemöglichkeit wurde entfernt",
    event_data_exported: "Ihre Daten wurden heruntergeladen",
    event_other: "Ihr Konto wurde geändert",
    event_account_disabled: "Ein Administrator hat Ihr Konto gesperrt",
    event_account_enabled: "Ein Administrator hat Ihr Konto wieder freigegeben",
    event_kept_out: "Sie wollten sich anmelden und wurden nicht eingelassen",
    event_access_ended: "Sie durften diesen Server nicht mehr benutzen, daher wurde alles abgemeldet",
    event_provisioned: "Ihre Organisation hat Sie hier eingetragen",
    event_provisioning_changed: "Ihre Organisation hat Ihren Eintrag hier geändert",
    event_deprovisioned: "Ihre Organisation hat Sie hier ausgetragen",
    event_signed_out_by_operator: "Ein Administrator hat Sie überall abgemeldet",
    event_access_removed_by_operator: "Ein Administrator hat einem Programm den Zugriff entzogen",

    delete_title: "Ihr Konto löschen?",
    delete_lead: "Ihr Name, Ihre E-Mail-Adresse, Anmeldungen und Ereignisse werden sofort von \
        diesem Server gelöscht. Das lässt sich nicht rückgängig machen.",
    delete_apps: "Jedes verbundene Programm verliert in wenigen Sekunden seinen Zugriff.",
    delete_again: "Wenn Sie sich später wieder anmelden, beginnen Sie mit einem neuen, leeren Konto.",
    delete_sure: "Ja, alle meine Daten löschen.",
    delete_now: "Mein Konto löschen",
    delete_not_ticked: "Setzen Sie zuerst das Häkchen, damit niemand versehentlich ein Konto löscht.",
    deleted: "Ihr Konto ist gelöscht",
    deleted_lead: "Alles über Sie wurde gelöscht, und dieser Browser ist abgemeldet.",
    keep_account: "Konto behalten",

    cause: "Ursache",
    next_step: "Was Sie nun tun können",
    reason: "Grund (Code)",
    request: "Vorgangsnummer",
    for_developers: "Für die Entwickler des Programms",
    fault_client: "Das Programm, das Sie hierher schickte, hat einen Fehler gemacht. Sie haben \
        nichts falsch gemacht.",
    fault_provider: "Der Anmeldedienst hat nicht funktioniert. Sie haben nichts falsch gemacht.",
    fault_server: "Dieser Server hat einen Fehler gemacht. Sie haben nichts falsch gemacht.",
    action_home: "Zur Startseite",
    action_another_account: "Anderes Konto verwenden",
    action_sign_in: "Wieder anmelden",
    action_account: "Zu Ihrem Konto",
    action_again: "Noch einmal versuchen",
    action_onward: "Weiter zu dieser Adresse",

    end_session: "Abmelden?",
    end_session_asked: "{client} möchte Sie in diesem Browser abmelden.",
    stay_signed_in: "Angemeldet bleiben",
    signed_out: "Sie sind abgemeldet",
    session_ended: "Ihre Sitzung in diesem Browser ist beendet.",
    clients_keep_access: "Programme, denen Sie früher Zugriff erlaubt haben, behalten ihn: Das \
        Abmelden hier beendet ihn nicht. Entziehen können Sie ihn auf Ihrer Kontoseite.",
    sign_in_again: "Wieder anmelden",
    onward_unverified: "Das Programm, das Sie hierher schickte, möchte Sie an diese Adresse \
        zurückführen, die nicht geprüft wurde.",

    home: "Hier sind Sie richtig",
    what_this_is: "Programme schicken Sie hierher, damit Sie sich anmelden, und fragen, ob sie \
        einen Dienst für Sie benutzen dürfen. Ohne Ihre Zustimmung geschieht nichts.",
    sign_out: "Abmelden",
    issuer: "Dieser Server",
    for_programs: "Für Programme",
    metadata: "Metadaten",
    signing_keys: "Signaturschlüssel",
    enter_code: "Gerätecode eingeben",
};

static ERRORS: ErrorTexts = ErrorTexts {
    client_unknown: ErrorText {
        title: "Dieses Programm ist hier nicht bekannt",
        what: "Das Programm, das Sie hierher schickte, ist bei diesem Server nicht oder nicht mehr \
            eingetragen.",
        next: "Kehren Sie zum Programm zurück und verbinden Sie es neu; die meisten tragen sich dann \
            wieder ein.",
    },
    redirect_not_registered: ErrorText {
        title: "Wir wissen nicht, wohin wir Sie zurückschicken sollen",
        what: "Das Programm verlangt seine Antwort an einer Adresse, die es nicht eingetragen hat. \
            Wir haben angehalten, denn sie könnte jemand anderem gehören.",
        next: "Kehren Sie zum Programm zurück und versuchen Sie es noch einmal. Geschieht es \
            wieder, schicken Sie diese Seite an die Entwickler.",
    },
    redirect_not_trusted: ErrorText {
        title: "Diese Anfrage kann nicht fortgesetzt werden",
        what: "Das Programm, das Sie hierher schickte, verlangt etwas, das es nicht haben kann. \
            Der Fehler ginge an seine eigene Adresse, die nicht geprüft wurde.",
        next: "Wenn Sie diese Adresse kennen und gerade von dort kommen, gehen Sie weiter. Sonst \
            schließen Sie diese Seite.",
    },
    client_request: ErrorText {
        title: "Diese Anfrage kann nicht fortgesetzt werden",
        what: "Das Programm, das Sie hierher schickte, hat eine Anfrage gestellt, die dieser \
            Server nicht annimmt.",
        next: "Kehren Sie zum Programm zurück und versuchen Sie es noch einmal. Geschieht es \
            wieder, schicken Sie diese Seite an die Entwickler.",
    },
    expired: ErrorText {
        title: "Diese Seite ist abgelaufen",
        what: "Sie war zu lange offen oder gehört zu einer anderen Anmeldung oder einem anderen \
            Browser.",
        next: "Beginnen Sie neu in dem Programm, das Sie hierher schickte.",
    },
    already_answered: ErrorText {
        title: "Das haben Sie schon beantwortet",
        what: "Ihre erste Antwort wurde dem Programm geschickt. Eine zweite wird nicht angenommen.",
        next: "Kehren Sie zum Programm zurück. Geschieht dort nichts, beginnen Sie dort neu.",
    },
    cross_site: ErrorText {
        title: "Das kam von einer anderen Website",
        what: "Eine andere Website hat ein Formular an diesen Server geschickt oder diese Seite \
            eingebettet. Wir haben das ignoriert, damit keine andere Website für Sie antwortet.",
        next: "Wenn Sie das wirklich wollten, gehen Sie zur Startseite und beginnen Sie neu.",
    },
    declined: ErrorText {
        title: "Sie wurden nicht angemeldet",
        what: "Die Anmeldung wurde beim Anmeldedienst abgelehnt. Sie sind nicht angemeldet, und \
            nichts wurde erlaubt.",
        next: "Wenn das nicht Ihre Absicht war, melden Sie sich noch einmal an und stimmen Sie zu.",
    },
    kept_out: ErrorText {
        title: "Dieses Konto hat hier keinen Zugang",
        what: "Sie haben nachgewiesen, wer Sie sind. Diesen Server dürfen aber nur bestimmte Personen \
            benutzen, und dieses Konto gehört nicht dazu.",
        next: "Wenn Sie ein anderes Konto haben, melden Sie sich damit an. Sonst bitten Sie den Betreiber \
            dieses Servers um Zugang.",
    },
    provider_silent: ErrorText {
        title: "Der Anmeldedienst antwortet nicht",
        what: "Dieser Server konnte den Anmeldedienst nicht erreichen.",
        next: "Warten Sie einen Augenblick und versuchen Sie es dann noch einmal.",
    },
    provider_fault: ErrorText {
        title: "Die Anmeldung funktioniert hier nicht",
        what: "Der Anmeldedienst hat eine Antwort gegeben, mit der dieser Server nichts anfangen \
            kann. Sie sind nicht angemeldet.",
        next: "Wenden Sie sich an den Betreiber dieses Servers und nennen Sie Grund und \
            Vorgangsnummer.",
    },
    sign_in_needed: ErrorText {
        title: "Melden Sie sich zuerst an",
        what: "Sie sind abgemeldet, oder Ihre Sitzung ist beendet.",
        next: "Melden Sie sich an und machen Sie dort weiter, wo Sie waren.",
    },
    refused: ErrorText {
        title: "Das wurde abgelehnt",
        what: "Der Server erlaubt diese Anfrage nicht.",
        next: "Kehren Sie dorthin zurück, woher Sie kamen, und beginnen Sie neu.",
    },
    too_many: ErrorText {
        title: "Zu viele Versuche",
        what: "Das wurde in kurzer Zeit zu oft versucht; weitere Versuche müssen warten.",
        next: "Warten Sie einige Minuten und versuchen Sie es dann noch einmal.",
    },
    too_large: ErrorText {
        title: "Das war zu groß",
        what: "Es wurden mehr Daten geschickt, als ein Formular dieses Servers braucht; daher \
            wurden sie nicht gelesen.",
        next: "Kehren Sie dorthin zurück, woher Sie kamen, und beginnen Sie neu.",
    },
    not_found: ErrorText {
        title: "Seite nicht gefunden",
        what: "Diese Seite gibt es auf diesem Server nicht. Vielleicht ist die Adresse vertippt \
            oder veraltet.",
        next: "Gehen Sie zur Startseite oder dorthin zurück, woher Sie kamen.",
    },
    unavailable: ErrorText {
        title: "Das funktioniert gerade nicht",
        what: "Ein Teil dieses Servers antwortet im Augenblick nicht. Nichts ist verloren \
            gegangen.",
        next: "Warten Sie einen Augenblick und versuchen Sie es dann noch einmal.",
    },
    server_mistake: ErrorText {
        title: "Hier ist etwas schiefgegangen",
        what: "Diesem Server ist etwas misslungen, das hätte gelingen müssen. Nichts wurde erlaubt.",
        next: "Versuchen Sie es noch einmal. Geschieht es wieder, geben Sie den Betreibern die Nummer \
            des Vorgangs.",
    },
};
