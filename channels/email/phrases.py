"""How the mail programs of the world introduce a quote or end a letter, as data: add a language or a program here.

Every value is a piece of a regular expression, matched without regard to case against one line (attributions: against up
to four lines joined by spaces). Other languages than ours have their attributions from mail-parser-reply.
"""

# Dates and times as they stand in an attribution.
MONTHS = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?|"
    r"янв(?:аря|арь)?|фев(?:р(?:аля|аль)?)?|мар(?:та|т)?|апр(?:еля|ель)?|мая|май|июн[яь]?|июл[яь]?|авг(?:уста|уст)?|"
    r"сент?(?:ября|ябрь)?|окт(?:ября|ябрь)?|ноя(?:б(?:ря|рь)?)?|дек(?:абря|абрь)?"
)
WEEKDAYS = (
    r"mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?|"
    r"понедельник|вторник|среда|среду|четверг|пятница|пятницу|суббота|субботу|воскресенье|пн|вт|ср|чт|пт|сб|вс"
)

# The verb that ends (or, in Russian, may stand inside) an attribution.
WROTE = (
    r"wrote",
    r"has written",
    r"writes",
    r"said",
    r"написал(?:а|\(а\)|и)?",
    r"пишет",
    r"писал(?:а|\(а\)|и)?",
    r"пишете",
    r"сообщил(?:а|\(а\))?",
)

# The verbs of the languages that mail-parser-reply knows.
WROTE_ELSEWHERE = (
    r"schrieb|geschrieben|escribió|écrit|scritto|schreef|napsal|skrev|nadesłał|napisał|작성하였습니다"
)

# A line that says that everything below was received.
SEPARATORS = (
    r"[-_*=\s]*original message[-_*=:\s]*",
    r"[-_*=]{3,}\s*original\s*[-_*=]{3,}",
    r"[-_*=\s]*original appointment[-_*=:\s]*",
    r"[-_*=\s]*(?:ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht|"
    r"ursprungligt meddelande)[-_*=:\s]*",
    r"[-_*=\s]*reply message[-_*=:\s]*",
    r"[-_*=\s]*replied message[-_*=:\s]*",
    r"[-_*=\s]*(?:исходное|оригинальное|первоначальное) (?:сообщение|письмо)[-_*=:\s]*",
    r"[-_*=\s]*(?:ответ|ответное сообщение) на[-_*=:\s]*",
    r"(?:[-#=]{2,}\s*)?(?:please )?(?:type|write|reply) (?:your reply )?above this line.*",
)

# A line that starts a forwarded mail.
FORWARDED = (
    r"[-_*=>\s]*forwarded message[-_*=:\s]*",
    r"[-_*=>\s]*forwarded by .{3,120}[-_*=:\s]*",
    r"[-_*=>\s]*begin forwarded message:[-_*=\s]*",
    r"[-_*=>\s]*forwarded (?:mail|email|e-mail)[-_*=:\s]*",
    r"[-_*=>\s]*(?:пересылаемое|пересланное|переадресованное|перенаправленное|переправленное) (?:сообщение|письмо)[-_*=:\s]*",
    r"[-_*=>\s]*начало (?:переадресованного|пересылаемого|пересланного|перенаправленного) (?:сообщения|письма):?[-_*=\s]*",
    r"[-_*=>\s]*переслано от .{3,120}[-_*=:\s]*",
)
FORWARD_SUBJECTS = r"(?:fwd?|fw|пересл|пер|переслано|пд)\s*(?:\[\d+\])?\s*:"

# The names of the fields in the block that Outlook and others put above a quote.
FIELD_FROM = (r"from", r"von|de|da|van|från|fra|od", r"от", r"от кого", r"отправитель")
FIELD_DATE = (
    r"sent",
    r"gesendet|envoyé|enviado|inviato|verzonden|skickat|sendt|wysłano|odesláno|datum",
    r"date",
    r"sent at",
    r"отправлено",
    r"дата",
    r"дата и время",
    r"отправлен",
)
FIELD_TO = (r"to", r"an|à|para|aan|till|til|do|komu", r"кому", r"получатель", r"получатели")
FIELD_SUBJECT = (r"subject", r"betreff|objet|asunto|oggetto|onderwerp|ämne|emne|temat|předmět", r"тема")
FIELD_OTHER = (
    r"cc", r"bcc", r"reply-to", r"importance", r"attachments?", r"копия", r"копии", r"скрытая копия", r"ответить",
    r"важность", r"вложения?", r"when", r"where", r"когда", r"где", r"organization", r"priority", r"sensitivity",
)  # fmt: skip

# Lines that a program adds under what its user wrote. The whole line must match.
ADDED_BY_PROGRAM = (
    r"(?:sent|отправлено) (?:from|via|with|using|by) (?:my|the|a|an|outlook|mail|yahoo|gmail|proton|yandex|spark|samsung|iphone|ipad|android|windows|blackberry|thunderbird|bluemail|aqua|edison|galaxy|nine|airmail|superhuman|zoho|mobile)\b.{0,200}",
    r"cid:.{3,200}|image: .{3,200}|(?:изображение|картинка): .{3,200}",
    r"get (?:outlook|bluemail|typeapp) for .{2,200}",
    r"(?:скачать|получить|загрузить|установить|скачайте|получите|загрузите) outlook (?:для|на|for) .{2,200}",
    r"(?:отправлено|послано|написано) (?:с|со|из|через|при помощи|с помощью) (?:моего |моей |мобильн|iphone|айфон|ipad|android|"
    r"samsung|xiaomi|huawei|honor|смартфон|телефон|устройства|планшет|яндекс|yandex|mail|почт|outlook|my\s?mail|gmail|"
    r"бесплатн|приложени|spark|blackberry|windows|компьютер|thunderbird|корпоративн|vk|вк).{0,200}",
    r"(?:простите|извините|прошу прощения) за (?:краткость|опечатки|ошибки).{0,120}",
    r"(?:please )?(?:excuse|pardon|forgive) (?:my |any |the )?(?:brevity|typos|typo|spelling).{0,120}",
    r"virus-free\.?(?: ?www\.avast\.\w+.{0,200})?",
    r"без вирусов\.?(?: ?www\.avast\.\w+.{0,200})?",
    r".{0,80}(?:scanned|checked) (?:for viruses )?by .{2,60}(?:avast|kaspersky|dr\.?web|eset|antivirus).{0,80}",
    r".{0,40}(?:проверено|проверен) (?:на (?:наличие )?вирус\w* )?.{0,40}(?:avast|касперск|dr\.?web|антивирус).{0,80}",
)

# The words before a name at the end of a letter. What may follow on the same line is a name, never a sentence.
CLOSINGS = (
    r"(?:with )?(?:my |our )?(?:(?:very |all |the )*(?:best|kind|kindest|warm|warmest|many|good|great)(?: and \w+)? )?"
    r"(?:regards|wishes)",
    r"b(?:est)?\s?rgds|rgds|wbr|w\.b\.r\.?",
    r"all the best",
    r"(?:yours|very) (?:sincerely|faithfully|truly|respectfully)(?: yours)?",
    r"(?:sincerely|respectfully|cordially|faithfully)(?: yours)?",
    r"(?:with|in) (?:respect|appreciation|gratitude)",
    r"[сc] (?:глубоким |большим |искренним |неизменным |огромным )?уважением(?: и (?:(?:наилучшими|лучшими) пожеланиями|"
    r"надеждой на (?:дальнейшее |плодотворное |скорое |взаимовыгодное )?сотрудничество))?",
    r"[сc] (?:самыми )?(?:наилучшими|лучшими|добрыми|теплыми|тёплыми) пожеланиями",
    r"(?:всего|самого) (?:наилучшего|доброго|хорошего|лучшего)",
    r"(?:искренне|всегда) ваш[аи]?",
    r"[сc] (?:благодарностью|признательностью)(?: и уважением)?",
    r"[сc] ув\.?|[сc]/у",
)
# These end a letter only with a comma or a name under them; otherwise they are said in earnest.
WEAK_CLOSINGS = (
    r"(?:my |very )?best",
    r"br|b\.r\.|kr",
    r"yours",
    r"cheers",
    r"warmly",
    r"take care",
    r"(?:many |big )?thanks(?: a lot| so much| again| in advance)?",
    r"(?:many )?thanks ?(?:&|and) ?(?:best |kind )?regards",
    r"thank you(?: very much| so much| again| in advance)?(?: ?(?:&|and) ?(?:best |kind )?regards)?",
    r"thx",
    r"(?:заранее |большое |огромное )?(?:спасибо|благодарю)(?: заранее| большое| за понимание| за внимание)?",
    r"заранее (?:благодарен|благодарна)",
    r"ваш[аи]?",
)

POSTSCRIPT = r"(?:p\.? ?p?\.? ?s\.?|пс|п\.с\.|з\.ы\.|зы|постскриптум)(?:[:.,)\s-]|$)"

# The beginning of a paragraph that lawyers or gateways add.
DISCLAIMERS = (
    r"\**(?:legal |confidentiality |important |privileged and confidential )?(?:notice|disclaimer|confidentiality note)\**\s*[:.\-–—]",
    r"confidentiality (?:notice|note|statement)\b",
    r"disclaimer\b\W*$",
    r"(?:the|this) (?:information|content|contents)(?: contained)? (?:in|of) this (?:e-?mail|message|communication)",
    r"this (?:e-?mail|message|communication|transmission)(?: message)?(?:,| and| \(| is| may| contains| has| was| together| including).{0,300}"
    r"(?:confidential|privileged|intended|attachment|virus)",
    r"if you (?:are not the intended|have received this (?:e-?mail|message))",
    r"please consider the environment",
    r"(?:данное|настоящее|это|эта|данная) (?:электронное |почтовое |информационное )?(?:сообщение|письмо|переписка|информация).{0,300}"
    r"(?:конфиденциал|предназначен|вложен|адресат|коммерческ|вирус|оферт)",
    r"(?:информация|сведения), содержащ(?:аяся|иеся|ихся) в (?:этом|данном|настоящем)",
    r"(?:уведомление|предупреждение|соглашение|положение) о конфиденциальности",
    r"(?:конфиденциальность|отказ от ответственности|дисклеймер)\s*[:.\-–—]",
    r"если вы (?:не являетесь (?:указанным |надлежащим )?(?:адресатом|получателем)|получили (?:это|данное) (?:сообщение|письмо) (?:по ошибке|ошибочно))",
    r"(?:пожалуйста,? )?(?:подумайте|позаботьтесь) об? (?:природе|окружающей среде|экологии)",
    r"перед тем,? как (?:распечатать|печатать)",
)

# Banners that the receiving side puts above a mail from outside.
BANNERS = (
    r"\W*(?:caution|warning|attention|external|external (?:e-?mail|sender|message))\b.{0,20}[:\]!-].{0,300}"
    r"(?:outside|external|origin|links|attachment|sender|trust).{0,300}",
    r"\W*external (?:e-?mail|sender|message)\W*",
    r"\W*(?:this|the) (?:e-?mail|message) (?:originated|came|was sent) from (?:outside|an external).{0,300}",
    r"you don'?t often get (?:e-?mail|email) from .{0,300}",
    r"\W*(?:внимание|осторожно|предупреждение)\b.{0,20}[:!.].{0,200}(?:внешн|за предел|вложени|ссылк).{0,300}",
    r"\W*(?:внешняя почта|внешнее письмо|внешний отправитель)\b.{0,300}",
    r"(?:вы|вы не) (?:не )?часто получаете (?:письма|сообщения|почту) (?:от|с) .{0,300}",
)
