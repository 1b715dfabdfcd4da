<?php
// /etc/roundcube/config.inc.php of mail.yaes.example
$config = [];

// 使用者的設定與通訊錄: SQLite, on a volume. The messages themselves are Dovecot's.
$config['db_dsnw'] = 'sqlite:////var/lib/roundcube/db/roundcube.db?mode=0640';
// 加密工作階段裡密碼的金鑰: made on this machine, once (24 characters)
$config['des_key'] = trim(file_get_contents('/var/lib/roundcube/db/key'));

// 收信: Dovecot on this machine
$config['imap_host'] = 'localhost:143';
// chen and chen@yaes.example are one user
$config['mail_domain'] = 'yaes.example';
$config['username_domain'] = 'yaes.example';
$config['username_domain_forced'] = true;

// 寄信: with the user's own login, as other mail programs do; so Postfix sees to it that the sender is the user.
$config['smtp_host'] = 'tls://localhost:587';
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';
$config['smtp_conn_options'] = ['ssl' => ['cafile' => '/etc/ssl/maillab/ca.pem', 'peer_name' => 'mail.yaes.example']];
$config['identities_level'] = 0;

$config['product_name'] = 'yaes Webmail';
$config['language'] = 'zh_TW';
$config['timezone'] = 'Asia/Taipei';
$config['date_format'] = 'Y-m-d';
$config['skin'] = 'elastic';
$config['plugins'] = [];
$config['enable_spellcheck'] = false;
$config['max_message_size'] = 20971520;

$config['drafts_mbox'] = 'Drafts';
$config['sent_mbox'] = 'Sent';
$config['trash_mbox'] = 'Trash';
$config['junk_mbox'] = '';
$config['create_default_folders'] = true;

// 記錄: /var/log/mail.log, who logged in and what he sent
$config['log_driver'] = 'syslog';
$config['syslog_facility'] = LOG_MAIL;
$config['log_logins'] = true;
$config['smtp_log'] = true;
$config['session_lifetime'] = 60;
