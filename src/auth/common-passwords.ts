// The passwords that are tried first, of those that would be long enough. In lower case.
export const commonPasswords: ReadonlySet<string> = new Set(`
00000000 0123456789 0987654321 11111111 11223344 112233445566 123123123 123321123 12341234 12345678 123456789 1234567890 12345678910
123456789a 12345678a 1234567a 123456abc 1234qwer 123abc456 123qwe123 123qweasd 147258369 159753159 1q2w3e4r 1q2w3e4r! 1q2w3e4r5t
1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 87654321 88888888 987654321 a1234567 a12345678 a123456789 a1b2c3d4 aa123456 abc12345 abc123456
abc123abc abcd1234 abcdefg1 abcdefgh abcdefghi admin123 admin1234 admin12345 admin@123 adminadmin administrator alexander alexandra
android1 apple123 arsenal1 asdf1234 asdfasdf asdfghjk asdfghjkl asdfqwer autumn2025 autumn2026 azertyuiop barcelona baseball baseball1
basketball batman123 benjamin blink182 business butterfly changeit changeme changeme1 changeme123 charlotte chelsea1 chocolate christopher
company123 computer computer1 contraseña cookie123 correcthorse correcthorsebatterystaple corvette cowboys1 danielle darkness database
december default1 demo1234 diamond1 dolphins dragon123 elephant elizabeth everton1 facebook facebook1 february ferrari1 football football1
freedom1 garfield google123 guest123 guest1234 heineken hello123 hello1234 helloworld ilovegod iloveu123 iloveyou iloveyou1 iloveyou2
instagram internet internet1 iphone123 jackdaniels january1 jennifer jennifer1 jessica1 jonathan juventus killer123 lakers24 letmein!
letmein1 letmein123 letmeinnow linkedin liverpool liverpool1 loveyou1 manchester marlboro master123 mercedes metallica michelle microsoft
midnight midnight1 minecraft monday123 monkey123 motdepasse mustang1 mypass123 mypassword mysql123 nathalie newcastle newpass1 newpassword
nicholas nintendo nirvana1 nopassword november office123 opensesame oracle123 p4ssw0rd p@ssw0rd p@ssword pa55w0rd pa55word pass1234
passpass passw0rd password password! password1 password1! password12 password123 password1234 password12345 passwort passwort1 passwort123
patricia playstation pokemon1 pokemon123 porsche1 postgres postgres1 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsx123 qazwsxedc qweasd123
qweasdzxc qwer1234 qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui qwertyuiop qwertz123 qwertzui qwertzuiop rainbow1 realmadrid
rootroot rowhouse rowhouse1 rowhouse123 samsung1 samsung123 saturday scorpion secret12 secret123 september shadow123 simpsons slipknot
snoopy123 spiderman spring2025 spring2026 starwars starwars1 steelers stephanie strawberry summer2023 summer2024 summer2025 summer2026
sunshine sunshine1 superman superman1 test1234 test12345 testing1 testing123 testtest thursday toor1234 topsecret trustno1 twitter1
unicorn1 user1234 username veronica victoria victoria1 welcome1 welcome12 welcome123 westside whatever windows10 winter2023 winter2024
winter2025 winter2026 yankees1 yourpassword youtube1 zaq12wsx zxcvasdf zxcvbnm1 zxcvbnm123
`.trim().split(/\s+/))
