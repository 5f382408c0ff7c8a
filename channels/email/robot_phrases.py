"""How machines write when their headers do not say so, as data. Regular expressions, matched without regard to case."""

# Subjects that a program puts on an automatic answer; matched from the beginning, so "Re: Out of office" is a person's.
AUTOMATIC_SUBJECTS = (
    r"(?:automatic|auto[- ]?matic|automated) (?:reply|response|answer)\b",
    r"auto[- ]?(?:reply|response|responder|answer|resp)\b",
    r"autoreply\b",
    r"out[- ]of[- ](?:the[- ])?office\b",
    r"ooo\s*[:\-–—]",
    r"(?:i am |i'm )?(?:away|absent) (?:from (?:the |my )?(?:office|desk|mail|email)|until|till)\b",
    r"(?:on|annual|parental|maternity|sick) (?:leave|vacation|holiday)\b",
    r"vacation (?:reply|response|notice|message|responder)\b",
    r"we(?: have|'ve) received your (?:message|request|e-?mail|inquiry|enquiry)",
    r"(?:your (?:message|request|e-?mail|inquiry|enquiry) (?:has been|was) (?:received|registered))",
    r"(?:\[?(?:авто|автоматический )\s?-?(?:ответ|ответчик|уведомление|сообщение)\]?)",
    r"автоматическ(?:ий|ое) (?:ответ|уведомление|сообщение)",
    r"(?:я )?(?:вне|не в|отсутствую в) офис[еа]\b",
    r"(?:я )?(?:нахожусь )?в (?:ежегодном |декретном )?отпуске?\b",
    r"отпуск\s*(?:[:\-–—]|$|(?:до|с|по) \d)",
    r"auto\s*:|autosvar\b|abwesenheit|automatische antwort|réponse automatique|respuesta automática|risposta automatica|automatisch antwoord",
    r"(?:я )?(?:в командировке|на больничном|в отъезде|нет на месте)\b",
    r"(?:я )?(?:временно )?отсутству[юе]т?\b",
    r"(?:ваше (?:письмо|обращение|сообщение)|ваша заявка|ваш запрос) (?:получено|принято|зарегистрировано|получен|принят|принята|"
    r"зарегистрирована|зарегистрирован)",
    r"(?:мы получили|принято) ваше? (?:письмо|обращение|сообщение)",
)
# Signs in the body. Somebody is away AND somebody else helps, or a machine says that it is one: nobody was at the keys.
AWAY = (
    r"\bi(?:'m| am| will be|'ll be)? (?:currently |now |presently )?(?:be )?(?:out of (?:the )?office|on (?:annual |parental |maternity |"
    r"sick |business )?(?:leave|vacation|holidays?|trip)|away from (?:the |my )?(?:office|desk|e-?mail)|travelling|absent)\b",
    r"\b(?:out of (?:the )?office|on (?:annual |parental |maternity )?(?:leave|vacation)) (?:until|till|from|through|and)\b",
    r"\b(?:will be back|be back in the office|returning(?: to the office)?|return to (?:the office|work)) (?:on|in)\b",
    r"\bnot (?:be )?(?:in the office|reading my (?:mail|e-?mail))",
    r"\b(?:сейчас |временно |в настоящее время )?(?:нахожусь |буду )?(?:в (?:ежегодном |очередном |декретном )?отпуске|вне офиса|"
    r"не в офисе|в командировке|на больничном|отсутствую|буду отсутствовать)",
    r"\b(?:вернусь|выйду|буду (?:снова )?(?:на месте|на связи|доступ\w+|в офисе)) (?:с |после |в |к )?\d",
)
HANDED_ON = (
    r"\b(?:limited|no|intermittent|without) access to (?:my )?(?:e-?mail|mailbox|messages)",
    r"\b(?:will|shall) (?:reply|respond|get back|answer|read|be read)\b.{0,60}\b(?:upon|on|after|when|as soon as)\b.{0,20}\b(?:return|back|i can|possible)",
    r"\b(?:for|in case of|if).{0,20}\b(?:urgent|immediate|emergenc)\w*.{0,60}\b(?:contact|call|write|reach|e-?mail)",
    r"\b(?:in|during) my absence\b",
    r"(?:ограничен\w*|нет|без|не имею|не будет) доступ\w* к (?:рабочей |своей |электронной )?почте|доступ к (?:рабочей |электронной )?почте (?:будет )?ограничен",
    r"(?:отвечу|свяжусь|прочитаю|рассмотрю|обработа).{0,60}(?:после|по) (?:своего |моего )?возвращени",
    r"(?:отвечу|свяжусь).{0,40}(?:когда вернусь|как только вернусь|по выходу|после выхода|после отпуска|всем)",
    r"(?:по|в случае|при)(?: всем| любым)?(?: возникновени\w+)? ?(?:срочн|неотложн|экстренн|рабочи)\w*.{0,80}(?:обращ|звони|пиш|связ|контакт|напи)",
    r"по (?:всем|любым|текущим) вопросам.{0,40}(?:обращ|звони|пиш|связ|напи)",
    r"(?:на время|в|за) (?:моего |моё |мое |своего )?отсутстви[ея].{0,80}(?:обращ|замеща|замен|пиш|контакт|отвеча|помо)",
    r"меня (?:замещает|заменяет|подменяет)",
)
MACHINE_SAYS = (
    r"\bthis is an? (?:automatic(?:ally generated)?|automated|auto)[ -]?(?:generated|reply|response|message|e-?mail|answer)",
    r"\bthis (?:message|e-?mail|reply) (?:is|was|has been) (?:automatically generated|generated automatically|sent automatically)",
    r"\bdo not reply to this (?:automated |automatic )?(?:e-?mail|message)",
    r"\bthank you for (?:your|contacting|reaching|getting in)\b.{0,120}\b(?:ticket|request|reference|case) (?:number|id|no|#)",
    r"(?:это|данное|настоящее) (?:письмо|сообщение|уведомление)? ?(?:создано|сформировано|сгенерировано|отправлено|является)? ?автоматическ",
    r"(?:письмо|сообщение|уведомление|ответ) (?:создан|сформирован|сгенерирован|отправлен)[оа]? автоматически",
    r"(?:пожалуйста, )?не отвечайте на (?:это|данное) (?:письмо|сообщение)",
    r"(?:ваше (?:письмо|обращение)|ваша заявка|ваш запрос).{0,60}(?:зарегистрирован|принят[оа]? в (?:работу|обработку))",
)

READ_RECEIPT_SUBJECTS = (
    r"(?:read|not read|deleted|displayed|disp)\s*:",
    r"(?:read|return|receipt|delivery) receipt\b",
    r"return receipt\b",
    r"(?:прочтено|прочитано|не прочитано|не прочтено|удалено без прочтения)\s*:",
    r"уведомление о прочтении|подтверждение прочтения|подтверждение о прочтении",
)
READ_RECEIPT_BODIES = (
    r"your message\b.{0,400}?\bwas (?:read|displayed|deleted)",
    r"this is a (?:return|read) receipt",
    r"ваше (?:сообщение|письмо)\b.{0,400}?(?:было )?(?:прочитано|прочтено|удалено|просмотрено)",
    r"это (?:уведомление|подтверждение) о (?:прочтении|том, что)",
)

# Who sends bounces, and nothing else.
DAEMONS = (
    r"(?:mailer-?daemon|mail-?daemon|mdaemon|mailerdaemon|mail\.?delivery(?:[._-]\w+)?|microsoftexchange[0-9a-f]+)@.*",
)
# Who sends them too.
POSTMASTERS = (r"(?:postmaster|bounces?|noreply-mailer|delivery|system-?administrator|double-bounce)@.*",)
DAEMON_NAMES = (
    r"mail(?:er)?[ -](?:delivery|daemon|router)|mail delivery (?:sub)?system|delivery (?:sub)?system|system administrator|postmaster|"
    r"microsoft outlook|почтовая система|служба доставки|системный администратор|доставка почты"
)
BOUNCE_SUBJECTS = (
    r"undeliver(?:able|ed)\b",
    r"(?:mail )?delivery (?:status notification|failure|failed|problem|error|delayed|has failed|report|notification)",
    r"mail delivery (?:failed|system|error|failure|problem|delayed)",
    r"mail (?:failure|system error)",
    r"failure notice",
    r"returned mail",
    r"(?:message|mail) (?:delayed|not delivered|undeliverable|returned|status)",
    r"warning: (?:message|could not send|mail).{0,80}",
    r"could not send message|could not be delivered",
    r"non[- ]?delivery|nondeliverable",
    r"rejected:|delivery status",
    r"недоставл?енн?о(?:е)?\b|не ?доставлено|письмо не доставлено|сообщение не доставлено",
    r"не удаётся доставить|не удается доставить|не удалось доставить|невозможно доставить|невозможность доставки",
    r"(?:уведомление|отчет|отчёт|сообщение) о (?:не ?доставке|состоянии доставки|статусе доставки|доставке|невозможности доставки|задержке)",
    r"(?:ошибка|сбой|задержка|проблема|отложена|отложенная|статус) (?:при |в )?доставк[иеау]|доставка (?:письма |сообщения |почты )?(?:отложена|задерж|невозможна)",
    r"возвра(?:щенное|щённое|т) (?:письмо|сообщение|письма|почты)|возврат почты",
)
BOUNCE_BODIES = (
    r"(?:could not|couldn'?t|cannot|can'?t|was not|wasn'?t|not) be(?:en)? delivered|unable to deliver|wasn'?t delivered",
    r"delivery (?:to the following|has failed|failed|of your message|attempt|problem)|did not reach (?:some|the|one)",
    r"(?:permanent|fatal) (?:error|failure)|address(?:es)? had permanent|undeliverable|undelivered",
    r"this is the (?:mail system|qmail-send program|postfix|mail delivery)",
    r"(?:user|mailbox|recipient|address) (?:unknown|not found|does not exist|unavailable|rejected|is full|couldn'?t be found)|no such user|over quota",
    r"(?:has been|is|was) delayed|delivery.{0,40}delayed|not yet been delivered|will (?:keep|continue) (?:trying|to try|retrying)|do not need to resend",
    r"не (?:удалось|удаётся|удается|может быть|было|смогли|можем|доставлено|была|получилось) ?(?:быть )?(?:доставл|доставить|доставлено)",
    r"(?:письмо|сообщение).{0,80}не (?:было )?(?:доставлено|может быть доставлено|доставлен|доставляется)",
    r"(?:невозможно|невозможна|ошибка|сбой|задержк\w+) (?:при )?достав",
    r"(?:такого|указанного|данного) (?:пользователя|адреса|ящика) (?:не существует|нет)|(?:ящик|адрес|пользователь) (?:не найден|не существует|"
    r"заблокирован|переполнен|отключ)|пользователь неизвестен",
)
DELAYED = (
    r"\bdelay(?:ed)?\b|not yet been delivered|will (?:keep|continue) (?:trying|to try|retrying)|do not need to resend|warning message only",
    r"задерж|повторн\w+ попытк|попытки (?:доставки |отправки )?(?:будут )?(?:продолж|повтор)|ещ[её] не доставлено",
)
FULL = (
    r"(?:mailbox|quota|inbox).{0,30}(?:full|exceeded|over)|over ?quota|quota.{0,10}exceed|insufficient (?:system )?storage|storage.{0,20}exceed",
    r"(?:ящик|квота|место).{0,40}(?:переполнен|превышен|закончил|полон)|переполнен\w* (?:почтов\w+ )?ящик",
)
ORIGINAL_BELOW = (
    r"-{2,}\s*(?:below this line is a copy|original message|this is a copy|returned message|message header|headers? of|the header|"
    r"исходное|копия|заголовк|текст (?:письма|сообщения))",
    r"^-{4,} this is a copy",
    r"^(?:return-path|received|исходный текст|original message headers|диагностические сведения для администраторов)\s*:",
)
